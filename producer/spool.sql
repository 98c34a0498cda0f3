-- The spool's tables. Times are seconds since 1970, UTC.

CREATE TABLE IF NOT EXISTS meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- What was accepted and has no receipt yet, in the order of acceptance.
CREATE TABLE IF NOT EXISTS pictures (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    line TEXT NOT NULL,
    product TEXT NOT NULL,
    burst TEXT,                              -- pictures of one burst share it, and a message
    image TEXT NOT NULL,                     -- an ImageRef as JSON
    copy TEXT,                               -- file name of the spool's own copy, if any
    bytes INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sent')),
    attempts INTEGER NOT NULL DEFAULT 0,
    created_at REAL NOT NULL,
    sent_at REAL,
    due_at REAL                              -- without a receipt by then, it is sent again
);
CREATE INDEX IF NOT EXISTS pictures_queued ON pictures (seq) WHERE state = 'queued';
CREATE INDEX IF NOT EXISTS pictures_uri ON pictures (json_extract(image, '$.uri'));
CREATE INDEX IF NOT EXISTS pictures_due ON pictures (due_at) WHERE state = 'sent';

-- One row, kept by triggers: asking whether the spool is full must not count its rows.
CREATE TABLE IF NOT EXISTS totals (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    pictures INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    dropped INTEGER NOT NULL
);
INSERT OR IGNORE INTO totals VALUES (1, 0, 0, 0);
CREATE TRIGGER IF NOT EXISTS pictures_added AFTER INSERT ON pictures BEGIN
    UPDATE totals SET pictures = pictures + 1, bytes = bytes + NEW.bytes;
END;
CREATE TRIGGER IF NOT EXISTS pictures_removed AFTER DELETE ON pictures BEGIN
    UPDATE totals SET pictures = pictures - 1, bytes = bytes - OLD.bytes;
END;

-- What 'drop-oldest' gave up. totals.dropped counts all; the newest rows are kept.
CREATE TABLE IF NOT EXISTS dropped (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    line TEXT NOT NULL,
    product TEXT NOT NULL,
    image TEXT NOT NULL,
    created_at REAL NOT NULL,
    dropped_at REAL NOT NULL
);

-- The newest receipts, so that every process on this spool can read its pictures' verdicts.
CREATE TABLE IF NOT EXISTS receipts (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    receipt TEXT NOT NULL                    -- a Receipt as JSON
);

-- Files that a folder watch has handed over: a restart neither loses nor doubles one.
CREATE TABLE IF NOT EXISTS ledger (
    path BLOB NOT NULL,                      -- as the operating system spells it
    mtime_ns INTEGER NOT NULL,
    size INTEGER NOT NULL,
    PRIMARY KEY (path, mtime_ns, size)
) WITHOUT ROWID;

-- What each of these files held then: size and time do not tell pictures apart where the time is
-- coarse (2 s on FAT), or kept by who copies.
CREATE TABLE IF NOT EXISTS ledger_contents (
    path BLOB PRIMARY KEY,
    sha256 TEXT NOT NULL                     -- as the message said it: of the file, or of blocks
) WITHOUT ROWID;

-- The newest picture of each of these files: a later state of the file supersedes it.
CREATE TABLE IF NOT EXISTS handed_over (
    path BLOB PRIMARY KEY,
    picture TEXT NOT NULL,                   -- its id
    unfinished INTEGER NOT NULL              -- whether the file did not look whole
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS handed_over_picture ON handed_over (picture);
