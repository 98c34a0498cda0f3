"""The files that a folder watch has handed over, by path, modification time and size."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from producer.spool_file import SpoolFile

_PATHS_A_QUERY = 500  # SQLite's oldest limit of variables is 999


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A file as it was when it was looked at."""

    path: Path
    mtime_ns: int
    size: int
    unfinished: bool = field(default=False, compare=False)  # it did not look whole

    @classmethod
    def look(cls, path: Path) -> SeenFile:
        """The file as it is now. Raises OSError if it cannot be looked at."""
        return cls.of(path, path.stat())

    @classmethod
    def of(cls, path: Path, stat: os.stat_result) -> SeenFile:
        """The file as `stat` found it."""
        return cls(path, stat.st_mtime_ns, stat.st_size)

    @property
    def key(self) -> tuple[bytes, int, int]:
        """The row of the ledger."""
        return os.fsencode(self.path), self.mtime_ns, self.size


def record(db: sqlite3.Connection, files: Sequence[SeenFile]) -> None:
    """Write files down, in the transaction that accepts their pictures."""
    db.executemany("INSERT OR IGNORE INTO ledger VALUES (?, ?, ?)", [file.key for file in files])


def note_content(db: sqlite3.Connection, path: Path, sha256: str) -> None:
    """Write down what a file held, in the same transaction."""
    db.execute("INSERT OR REPLACE INTO ledger_contents VALUES (?, ?)", (os.fsencode(path), sha256))


def content(spool: SpoolFile, path: Path) -> str | None:
    """The hash of what the file held when it was last handed over, where it was hashed."""
    with spool.read() as db:
        query = "SELECT sha256 FROM ledger_contents WHERE path = ?"
        row = db.execute(query, (os.fsencode(path),)).fetchone()
    return row[0] if row else None


def unknown(spool: SpoolFile, files: Sequence[SeenFile]) -> list[SeenFile]:
    """Those that were not handed over in this very state, in the same order."""
    keys = [file.key for file in files]
    known: set[tuple[bytes, int, int]] = set()
    for start in range(0, len(keys), _PATHS_A_QUERY):
        paths = [key[0] for key in keys[start : start + _PATHS_A_QUERY]]
        marks = ", ".join("?" * len(paths))
        with spool.read() as db:
            query = f"SELECT path, mtime_ns, size FROM ledger WHERE path IN ({marks})"  # noqa: S608
            known.update(db.execute(query, paths))
    return [file for file, key in zip(files, keys, strict=True) if key not in known]


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
        for table in ("handed_over", "ledger_contents"):
            query = f"DELETE FROM {table} WHERE path = ?"  # noqa: S608
            db.executemany(query, [row[:1] for row in gone])
    return len(gone)
