-- Rows of what was deleted, by the write that did it: the older ones are taken away.
CREATE INDEX object_deleted ON object (revision) WHERE body IS NULL;
