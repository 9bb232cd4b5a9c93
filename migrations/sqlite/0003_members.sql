-- The members of a large group are in rows of their own, of the kind `members`. 0 until those of the groups that were there
-- before have been moved to them, which the program does.
INSERT INTO meta (name, value) VALUES ('members', 0);
