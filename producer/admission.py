"""Whether the spool has room for a picture, and what gives way where the policy says so."""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass

from producer.ledger import SeenFile, note_content, record
from producer.limits import Limits

log = logging.getLogger(__name__)

_DROPPED_KEPT = 100_000  # rows; the count goes on

_INSERT = """
    INSERT INTO pictures (id, line, product, burst, image, copy, bytes, created_at)
    VALUES (:id, :line, :product, :burst, :image, :copy, :bytes, :now)
"""
_INSERT_IF_ROOM = """
    INSERT INTO pictures (id, line, product, burst, image, copy, bytes, created_at)
    SELECT :id, :line, :product, :burst, :image, :copy, :bytes, :now FROM totals
    WHERE pictures < :most AND bytes + :bytes <= :most_bytes AND NOT EXISTS (
        SELECT 1 FROM pictures
        WHERE seq = (SELECT min(seq) FROM pictures) AND created_at < :oldest
    )
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A picture on its way into the spool. `image` is an ImageRef as JSON, `sha256` its hash."""

    id: str
    line: str
    product: str
    image: str
    burst: str | None = None
    copy: str | None = None
    copy_bytes: int = 0
    seen: SeenFile | None = None
    sha256: str | None = None

    @property
    def bytes(self) -> int:
        """What it takes of the spool's room."""
        return len(self.image) + self.copy_bytes

    def row(self, now: float) -> dict[str, object]:
        """Its columns."""
        return {
            "id": self.id,
            "line": self.line,
            "product": self.product,
            "burst": self.burst,
            "image": self.image,
            "copy": self.copy,
            "bytes": self.bytes,
            "now": now,
        }


def held_twice(db: sqlite3.Connection, entries: Sequence[Entry]) -> list[str]:
    """The places from which these and other pictures come that all wait for their receipts.

    The spool's own copies have a place each, so they are never among them.
    """
    found = []
    for entry in entries:
        uri = json.loads(entry.image).get("uri")
        query = "SELECT 1 FROM pictures WHERE json_extract(image, '$.uri') = ? AND id <> ? LIMIT 1"
        if entry.copy is None and db.execute(query, (uri, entry.id)).fetchone():
            found.append(uri)
    return found


@dataclass(frozen=True, slots=True)
class Admission:
    """Why there was no room (None: the pictures are in), and the copies of what gave way."""

    full: str | None
    dropped_copies: tuple[str, ...] = ()


def admit_one(db: sqlite3.Connection, entry: Entry, limits: Limits) -> bool:
    """Insert one picture if there is room; one statement, which is its own transaction.

    Each statement lets other Python threads in, and coming back may take milliseconds: this is
    why the usual case does not go through `admit`.
    """
    now = time.time()
    cursor = db.execute(
        _INSERT_IF_ROOM,
        {
            **entry.row(now),
            "most": limits.pictures,
            "most_bytes": limits.bytes,
            "oldest": now - limits.age_s,
        },
    )
    return cursor.rowcount == 1


def admit(db: sqlite3.Connection, entries: Sequence[Entry], limits: Limits) -> Admission:
    """Insert all of these pictures, or none, within the caller's transaction."""
    copies: list[str] = []
    full = _fullness(db, entries, limits)
    may_drop = limits.when_full == "drop-oldest" and not limits.exceeded_by(
        len(entries),
        _size(entries),  # what would not fit into an empty spool displaces nothing
    )
    while full and may_drop:
        copies += _drop_oldest(db)
        full = _fullness(db, entries, limits)
    if full:
        return Admission(full)
    now = time.time()
    db.executemany(_INSERT, [entry.row(now) for entry in entries])
    record(db, [entry.seen for entry in entries if entry.seen])
    for entry in entries:
        if entry.seen and entry.sha256:
            note_content(db, entry.seen.path, entry.sha256)
    return Admission(None, tuple(copies))


def oldest_created_at(db: sqlite3.Connection) -> float | None:
    """When the oldest picture was accepted, in seconds since 1970."""
    row = db.execute("SELECT created_at FROM pictures ORDER BY seq LIMIT 1").fetchone()
    return row[0] if row else None


def _fullness(db: sqlite3.Connection, entries: Sequence[Entry], limits: Limits) -> str | None:
    pictures, size = db.execute("SELECT pictures, bytes FROM totals").fetchone()
    oldest = oldest_created_at(db)
    age_s = 0.0 if oldest is None else time.time() - oldest
    limit = limits.exceeded_by(pictures + len(entries), size + _size(entries), age_s)
    if limit is None:
        return None
    return (
        f"it holds {pictures} pictures and {size} bytes, the oldest since {age_s:.0f} s, and was "
        f"given {len(entries)} more. See that Redis and the workers run (`linewatch doctor`), or "
        f"raise {limit}"
    )


def _size(entries: Sequence[Entry]) -> int:
    return sum(entry.bytes for entry in entries)


def _drop_oldest(db: sqlite3.Connection) -> list[str]:
    """Give the oldest picture up, loudly; returns the name of its copy, if it has one."""
    row = db.execute("SELECT seq, id, image, copy FROM pictures ORDER BY seq LIMIT 1").fetchone()
    seq, id_, image, copy = row
    db.execute(
        "INSERT INTO dropped (id, line, product, image, created_at, dropped_at)"
        " SELECT id, line, product, image, created_at, ? FROM pictures WHERE seq = ?",
        (time.time(), seq),
    )
    db.execute("DELETE FROM pictures WHERE seq = ?", (seq,))
    db.execute("UPDATE totals SET dropped = dropped + 1")
    db.execute(
        "DELETE FROM dropped WHERE seq <= (SELECT max(seq) FROM dropped) - ?", (_DROPPED_KEPT,)
    )
    log.warning("the spool is full and dropped its oldest picture %s: %s", id_, image)
    return [copy] if copy else []
