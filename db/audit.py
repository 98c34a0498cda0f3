"""The audit log: who did what, in a chain of hashes that shows a changed or missing entry.

Each entry's hash is SHA-256 over its fields, the previous entry's hash included. Whoever owns the
table can also rewrite the whole chain or cut off its end, so keep the head (what `append` returns)
somewhere else now and then, and give it to `verify`.

An `actor` is a name that somebody gave. Beside it stands whose process it was, as its system says,
and on PostgreSQL as whom it had logged in: there a function (`linewatch_audit`) writes the entry,
and nobody but the owner can write the table.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Engine, Select, Text, cast, select, text

from db.base import table_of
from db.clock import database_now
from db.session import reading
from db.storable_text import storable
from db.tables import AuditEntry
from linewatch.os_user import os_user

GENESIS = "0" * 64
NETSTRINGS = 2  # the format of new entries; those of 0.1.0 are in format 1
_LONGEST = 4000  # characters of a name; linewatch_audit refuses longer ones
_TABLE = table_of(AuditEntry)
_APPEND = text(
    "SELECT linewatch_audit(:actor, :action, :subject, CAST(:detail AS json), :os_uid, :os_user)"
)
# Asked while other writers of the log may wait, and a directory service can take its time.
_os_user_of = lru_cache(maxsize=16)(os_user)


def append(
    connection: Connection,
    actor: str,
    action: str,
    subject: str,
    detail: Mapping[str, Any] | None = None,
) -> str:
    """Write one entry in the deed's own transaction, so that both are kept, or neither.

    Writers of the log wait for each other until the end of their transactions, on PostgreSQL for
    10 s at most: call it last, or where that wait is what is wanted.

    Returns:
        The entry's hash, which is the chain's head now.
    """
    written = _canonical(detail or {})
    entry: dict[str, Any] = {
        "actor": storable(actor, _LONGEST),
        "action": storable(action),
        "subject": storable(subject, _LONGEST),
        "os_uid": os.getuid(),
        "os_user": storable(_os_user_of(os.getuid()), 200),
    }
    if connection.dialect.name == "postgresql":
        return str(connection.execute(_APPEND, {**entry, "detail": written}).scalar_one())
    newest = select(_TABLE.c.hash).order_by(_TABLE.c.id.desc()).limit(1)
    entry |= {
        "at": database_now(connection),
        "previous_hash": connection.execute(newest).scalar() or GENESIS,
        "database_user": None,  # a file has no users
        "format": NETSTRINGS,
    }
    entry["hash"] = entry_hash(entry, written)
    connection.execute(_TABLE.insert(), {**entry, "detail": json.loads(written)})
    return str(entry["hash"])


def entry_hash(entry: Mapping[str, Any], detail: str) -> str:
    """SHA-256 (hex) of an entry, in the way of its format.

    Format 1: its canonical JSON, with sorted keys, no spaces, ASCII, UTC time. Format 2: its fields
    as netstrings (https://cr.yp.to/proto/netstrings.txt) in UTF-8, `-` for none.

    Args:
        entry: its fields, but for the detail.
        detail: as it is stored: JSON text.
    """
    at = entry["at"].astimezone(UTC).isoformat(timespec="microseconds")
    if entry["format"] != NETSTRINGS:
        names = ("actor", "action", "subject", "previous_hash")
        covered = {**{name: entry[name] for name in names}, "at": at, "detail": json.loads(detail)}
        return hashlib.sha256(_canonical(covered).encode()).hexdigest()
    fields = (
        *(entry["previous_hash"], at, entry["actor"], entry["action"], entry["subject"], detail),
        *(entry["os_uid"], entry["os_user"], entry["database_user"]),
    )
    return hashlib.sha256(b"".join(map(_netstring, fields))).hexdigest()


def _netstring(field: object) -> bytes:
    if field is None:
        return b"-"
    octets = str(field).encode()
    return b"%d:%b," % (len(octets), octets)


def _canonical(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)


@dataclass(frozen=True, slots=True)
class Verification:
    """What `verify` found: how many entries hold, the head, and the first thing wrong."""

    entries: int
    head: str
    problem: str | None


def verify(engine: Engine, *, head: str | None = None) -> Verification:
    """Walk the chain. `head`: a hash noted earlier, which must still be in it."""
    previous, seen = GENESIS, 0
    problem: str | None = None
    missing_head = head is not None and head != GENESIS
    with reading(engine) as connection:
        rows = connection.execution_options(yield_per=1000).execute(
            _entries().order_by(_TABLE.c.id)
        )
        for row in map(dict, rows.mappings()):
            if row["previous_hash"] != previous:
                problem = f"entry {row['id']} does not follow the one before it: entries are gone"
                return Verification(seen, previous, problem)
            if entry_hash(row, row["detail"]) != row["hash"]:
                return Verification(seen, previous, f"entry {row['id']} was changed")
            previous, seen = row["hash"], seen + 1
            missing_head = missing_head and previous != head
    if missing_head:
        problem = "the head noted earlier is not in the log: its end was cut off"
    return Verification(seen, previous, problem)


def _entries() -> Select[Any]:
    """Entries with their details as they are stored, letter by letter."""
    others = [column for column in _TABLE.c if column.name != "detail"]
    return select(*others, cast(_TABLE.c.detail, Text).label("detail"))


@dataclass(frozen=True, slots=True)
class Deed:
    """One entry, for people.

    `actor` is the name that was given; `os_user` and `database_user` are whose process it was and
    as whom it had logged in, None where that was not recorded: by 0.1.0, or with SQLite.
    """

    at: datetime
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]
    os_uid: int | None = None
    os_user: str | None = None
    database_user: str | None = None


def newest(engine: Engine, limit: int = 100) -> list[Deed]:
    """The last `limit` entries, newest first."""
    c = _TABLE.c
    whose = (c.os_uid, c.os_user, c.database_user)
    query = select(c.at, c.actor, c.action, c.subject, c.detail, *whose)
    query = query.order_by(c.id.desc()).limit(limit)
    with reading(engine) as connection:
        return [Deed(*row) for row in connection.execute(query)]


def subjects_of(engine: Engine, action: str) -> list[tuple[str, dict[str, Any]]]:
    """Subject and detail of every entry about an action, oldest first."""
    query = select(_TABLE.c.subject, _TABLE.c.detail).where(_TABLE.c.action == action)
    with reading(engine) as connection:
        return [(row[0], row[1]) for row in connection.execute(query.order_by(_TABLE.c.id))]
