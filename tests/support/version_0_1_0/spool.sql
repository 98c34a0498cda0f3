BEGIN TRANSACTION;
CREATE TABLE dropped (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    line TEXT NOT NULL,
    product TEXT NOT NULL,
    image TEXT NOT NULL,
    created_at REAL NOT NULL,
    dropped_at REAL NOT NULL
);
CREATE TABLE ledger (
    path BLOB NOT NULL,                      -- as the operating system spells it
    mtime_ns INTEGER NOT NULL,
    size INTEGER NOT NULL,
    PRIMARY KEY (path, mtime_ns, size)
) WITHOUT ROWID;
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO "meta" VALUES('producer','pc-0123');
INSERT INTO "meta" VALUES('version','1');
CREATE TABLE pictures (
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
INSERT INTO "pictures" VALUES(1,'01a21c69-41d2-7073-8d6b-61d52895f8f9','line-1','widget',NULL,'{"id":"01a21c69-41d2-7073-8d6b-61d52895f8f9","uri":"/pictures/1.png","camera":"cam-1","captured_at":"2026-03-01T08:00:00Z","part":"SN1","lot":"L1"}',NULL,147,'sent',1,1.795772989906633377e+09,1.79577298991173076635e+09,1.79577300991173076632e+09);
INSERT INTO "pictures" VALUES(2,'01a21c69-41d2-7073-8d6b-61d67fc27593','line-1','widget',NULL,'{"id":"01a21c69-41d2-7073-8d6b-61d67fc27593","uri":"/pictures/2.png","camera":"cam-1","captured_at":"2026-03-01T08:00:01Z"}',NULL,123,'queued',0,1.795772989906633377e+09,NULL,NULL);
CREATE TABLE receipts (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    receipt TEXT NOT NULL                    -- a Receipt as JSON
);
CREATE TABLE totals (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    pictures INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    dropped INTEGER NOT NULL
);
INSERT INTO "totals" VALUES(1,2,270,0);
CREATE INDEX pictures_queued ON pictures (seq) WHERE state = 'queued';
CREATE INDEX pictures_due ON pictures (due_at) WHERE state = 'sent';
CREATE TRIGGER pictures_added AFTER INSERT ON pictures BEGIN
    UPDATE totals SET pictures = pictures + 1, bytes = bytes + NEW.bytes;
END;
CREATE TRIGGER pictures_removed AFTER DELETE ON pictures BEGIN
    UPDATE totals SET pictures = pictures - 1, bytes = bytes - OLD.bytes;
END;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('pictures',2);
COMMIT;
