"""The audit log: who did what, in a chain of hashes that shows a changed or missing entry.

Each entry's hash is SHA-256 over its canonical JSON, the previous entry's hash included. Whoever
can write the table can also rewrite the whole chain or cut off its end, so keep the head (what
`append` returns) somewhere else now and then, and give it to `verify`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, select, text

from db.base import table_of
from db.clock import database_now
from db.session import reading, transaction
from db.tables import AuditEntry
from db.text import storable

GENESIS = "0" * 64
_TABLE = table_of(AuditEntry)
_LOCK = 0x11E3_A0D1  # any number of our own: what PostgreSQL's advisory lock is called


def append(
    engine: Engine, actor: str, action: str, subject: str, detail: Mapping[str, Any] | None = None
) -> str:
    """Write one entry; returns its hash, which is the chain's head now."""
    with transaction(engine) as connection:
        return append_within(connection, actor, action, subject, detail)


def append_within(
    connection: Connection,
    actor: str,
    action: str,
    subject: str,
    detail: Mapping[str, Any] | None = None,
) -> str:
    """`append` in a transaction of the caller's: the deed and its entry are kept, or neither.

    Call it last in the transaction: writers of the log wait for each other until its end.
    """
    if connection.dialect.name == "postgresql":  # SQLite's write transaction is alone already
        # Not LOCK TABLE: that asks for rights (UPDATE or DELETE) that no role has on the log.
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    newest = select(_TABLE.c.hash).order_by(_TABLE.c.id.desc()).limit(1)
    entry: dict[str, Any] = {
        "at": database_now(connection),
        "actor": storable(actor),
        "action": storable(action),
        "subject": storable(subject),
        "detail": json.loads(_canonical(detail or {})),
        "previous_hash": connection.execute(newest).scalar() or GENESIS,
    }
    entry["hash"] = entry_hash(entry)
    connection.execute(_TABLE.insert(), entry)
    return str(entry["hash"])


def entry_hash(entry: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of an entry's canonical JSON: sorted keys, no spaces, ASCII, UTC time."""
    fields = ("actor", "action", "subject", "detail", "previous_hash")
    covered = {name: entry[name] for name in fields}
    covered["at"] = entry["at"].astimezone(UTC).isoformat(timespec="microseconds")
    return hashlib.sha256(_canonical(covered).encode()).hexdigest()


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
            select(_TABLE).order_by(_TABLE.c.id)
        )
        for row in map(dict, rows.mappings()):
            if row["previous_hash"] != previous:
                problem = f"entry {row['id']} does not follow the one before it: entries are gone"
                return Verification(seen, previous, problem)
            if entry_hash(row) != row["hash"]:
                return Verification(seen, previous, f"entry {row['id']} was changed")
            previous, seen = row["hash"], seen + 1
            missing_head = missing_head and previous != head
    if missing_head:
        problem = "the head noted earlier is not in the log: its end was cut off"
    return Verification(seen, previous, problem)


@dataclass(frozen=True, slots=True)
class Deed:
    """One entry, for people."""

    at: datetime
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]


def newest(engine: Engine, limit: int = 100) -> list[Deed]:
    """The last `limit` entries, newest first."""
    c = _TABLE.c
    query = select(c.at, c.actor, c.action, c.subject, c.detail).order_by(c.id.desc()).limit(limit)
    with reading(engine) as connection:
        return [Deed(*row) for row in connection.execute(query)]
