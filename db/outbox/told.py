"""What receivers were told of parts, and which parts the lines' clocks called overdue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from db.base import table_of
from db.clock import database_now
from db.outbox.cursors import CLOCK
from db.outbox.entries import PartKey
from db.outbox.facts import Told
from db.tables import OutboxPart
from db.upsert import insert_many_into, many

_TABLE = table_of(OutboxPart)
_KEYS = [c.name for c in _TABLE.primary_key.columns]
_VALUES = [c.name for c in _TABLE.columns if c.name not in _KEYS]


def keep(
    connection: Connection, line: str, receiver: str, told: Mapping[PartKey, Told], now: datetime
) -> None:
    """Keep what a receiver was told, for the next time that something happens to these parts."""
    if not told:
        return
    insert = insert_many_into(connection, _TABLE)
    statement = insert.on_conflict_do_update(
        index_elements=_KEYS, set_={name: insert.excluded[name] for name in _VALUES}
    )
    connection.execute(statement, many(connection, _rows(line, receiver, told, now)))


def announce(connection: Connection, line: str, keys: Sequence[PartKey]) -> list[PartKey]:
    """Keep that parts of a line are overdue; returns those that nobody had called so before."""
    if not keys:
        return []
    now = database_now(connection)
    rows = _rows(line, CLOCK, dict.fromkeys(keys, Told(1, "", overdue=True)), now)
    statement = insert_many_into(connection, _TABLE).on_conflict_do_nothing()
    c = _TABLE.c
    found = connection.execute(
        statement.returning(c.product, c.serial, c.scope, c.pass_number), many(connection, rows)
    )
    new = {PartKey(*row) for row in found}
    return [key for key in keys if key in new]


def _rows(
    line: str, receiver: str, told: Mapping[PartKey, Told], now: datetime
) -> list[dict[str, Any]]:
    return [
        {
            "line": line,
            "receiver": receiver,
            **key._asdict(),
            "revision": one.revision,
            "said": one.said,
            "overdue": one.overdue,
            "told_at": now,
        }
        for key, one in sorted(told.items())
    ]
