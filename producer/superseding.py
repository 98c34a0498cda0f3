"""A file that changes after it was handed over: its later picture supersedes the earlier one."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from producer.admission import Entry
from producer.spool_file import SpoolFile


class Replaced(NamedTuple):
    """A picture that was taken out of the spool, since a later one of its file is there."""

    by: str
    path: Path
    picture: str
    copy: str | None


def earlier(spool: SpoolFile, path: Path) -> UUID | None:
    """The picture that was handed over from an earlier state of this file."""
    with spool.read() as db:
        query = "SELECT picture FROM handed_over WHERE path = ?"
        row = db.execute(query, (os.fsencode(path),)).fetchone()
    return UUID(row[0]) if row else None


def supersede(db: sqlite3.Connection, entries: Sequence[Entry]) -> list[Replaced]:
    """Note these as the newest of their files, in the transaction that accepts them.

    An earlier picture that did not look whole and was never sent is taken out: the rest of the
    same file is here now. One that looked whole stays: with a camera that writes every part to
    one name, it is another part.
    """
    replaced = []
    for entry in entries:
        if entry.seen is None:
            continue
        path = os.fsencode(entry.seen.path)
        row = db.execute(
            "SELECT p.id, p.copy FROM handed_over h JOIN pictures p ON p.id = h.picture"
            " WHERE h.path = ? AND h.unfinished AND p.state = 'queued' AND p.attempts = 0",
            (path,),
        ).fetchone()
        if row:
            db.execute("DELETE FROM pictures WHERE id = ?", row[:1])
            replaced.append(Replaced(entry.id, entry.seen.path, row[0], row[1]))
        db.execute(
            "INSERT OR REPLACE INTO handed_over VALUES (?, ?, ?)",
            (path, entry.id, entry.seen.unfinished),
        )
    return replaced


def forget(spool: SpoolFile, paths: Iterable[Path]) -> None:
    """These files were deleted: a later file of the same name is another picture.

    Not where the earlier one did not look whole: programs delete what they failed to copy and
    begin again.
    """
    rows = [(os.fsencode(path),) for path in paths]
    with spool.write() as db:
        db.executemany("DELETE FROM handed_over WHERE path = ? AND NOT unfinished", rows)
