"""The files that a folder watch has handed over, by path, modification time and size."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from producer.spool_file import SpoolFile


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A file as it was when it was looked at."""

    path: Path
    mtime_ns: int
    size: int

    @classmethod
    def look(cls, path: Path) -> SeenFile:
        """The file as it is now. Raises OSError if it cannot be looked at."""
        stat = path.stat()
        return cls(path, stat.st_mtime_ns, stat.st_size)

    @property
    def key(self) -> tuple[bytes, int, int]:
        """The row of the ledger."""
        return os.fsencode(self.path), self.mtime_ns, self.size


def record(db: sqlite3.Connection, files: Sequence[SeenFile]) -> None:
    """Write files down, in the transaction that accepts their pictures."""
    db.executemany("INSERT OR IGNORE INTO ledger VALUES (?, ?, ?)", [file.key for file in files])


def is_known(spool: SpoolFile, file: SeenFile) -> bool:
    """Whether this very state of the file was handed over before."""
    query = "SELECT 1 FROM ledger WHERE path = ? AND mtime_ns = ? AND size = ?"
    with spool.read() as db:
        return db.execute(query, file.key).fetchone() is not None


def forget_missing(spool: SpoolFile, folder: Path) -> int:
    """Forget the files beneath `folder` that are gone; returns how many."""
    prefix = os.fsencode(folder) + b"/"
    with spool.read() as db:
        rows = db.execute(
            "SELECT path, mtime_ns, size FROM ledger WHERE path >= ? AND path < ?",
            (prefix, prefix[:-1] + b"0"),  # "0" is the byte after "/"
        ).fetchall()
    gone = [row for row in rows if not os.path.lexists(row[0])]
    with spool.write() as db:
        db.executemany("DELETE FROM ledger WHERE path = ? AND mtime_ns = ? AND size = ?", gone)
    return len(gone)
