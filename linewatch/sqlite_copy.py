"""A copy of a SQLite file as it is at one moment, whoever writes to it meanwhile."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from linewatch.private_files import FILE_MODE

_BUSY_TIMEOUT_S = 30.0


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy with SQLite's online backup (https://www.sqlite.org/backup.html); writers go on.

    Args:
        source: a SQLite file; what lies in its write-ahead log is copied as well.
        target: must not exist. It is its owner's alone, and whole without a log beside it.

    Raises:
        sqlite3.Error: the source is no SQLite file, or the target's disk is full.
        OSError: the target exists or cannot be made.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    os.close(os.open(target, flags, FILE_MODE))
    there = f"{source.absolute().as_uri()}?mode=rw"  # never made where it is missing
    with (
        closing(sqlite3.connect(there, uri=True, timeout=_BUSY_TIMEOUT_S)) as reader,
        closing(sqlite3.connect(target)) as writer,
    ):
        writer.execute("PRAGMA locking_mode=EXCLUSIVE").close()  # nothing beside it but a journal
        # In one step: a copy in several begins again with each commit of somebody else's.
        reader.backup(writer)
        writer.execute("PRAGMA journal_mode=DELETE").close()
