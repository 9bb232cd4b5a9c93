-- Numbers that belong to the database as a whole. `revision` counts the writes.
CREATE TABLE meta (
    name  TEXT    NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT;

INSERT INTO meta (name, value) VALUES ('revision', 0);

-- Every noun of the cluster in its canonical JSON form, encrypted for secret kinds.
-- A deleted object keeps its row with a NULL body, so that everything that happened after a revision, deletes
-- included, is one query: WHERE revision > $1.
CREATE TABLE object (
    kind       TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    body       TEXT,
    revision   INTEGER NOT NULL,
    writer     TEXT    NOT NULL,
    written_at INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

-- What an inventory owns at a target, with the fields it last wrote; `apply` is the number of the apply that did.
CREATE TABLE ledger (
    target TEXT    NOT NULL,
    kind   TEXT    NOT NULL,
    id     TEXT    NOT NULL,
    doc    TEXT    NOT NULL,
    owner  TEXT,
    name   TEXT    NOT NULL,
    origin TEXT    NOT NULL,
    apply  INTEGER NOT NULL,
    PRIMARY KEY (target, kind, id)
) STRICT, WITHOUT ROWID;

-- The history of applies, numbered from 1 per target. Times are microseconds since 1970-01-01 UTC.
CREATE TABLE apply (
    target    TEXT    NOT NULL,
    number    INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    plan      TEXT    NOT NULL,
    author    TEXT    NOT NULL,
    inventory TEXT    NOT NULL,
    writes    INTEGER NOT NULL,
    result    TEXT    NOT NULL,
    PRIMARY KEY (target, number)
) STRICT, WITHOUT ROWID;
