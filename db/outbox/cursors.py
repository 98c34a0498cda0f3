"""Receivers of lines: how far each has been told, and which dispatcher tells it.

One dispatcher tells a receiver at a time: it holds a lease, which it renews. Whoever takes over
begins at the cursor, which moves after the receiver has confirmed; so something may come twice,
and nothing is left out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, delete, func, or_, select, update

from db.base import table_of
from db.clock import database_now
from db.storable_text import storable
from db.tables import Outbox, OutboxCursor, OutboxLine, OutboxPart
from db.upsert import insert_into

LEASE = timedelta(seconds=5)
CLOCK = ""  # the receiver that is the line's own clock, see `outputs.line_clock`
_TABLE, _LINES, _PARTS = table_of(OutboxCursor), table_of(OutboxLine), table_of(OutboxPart)
_C, _OUTBOX = _TABLE.c, table_of(Outbox).c


@dataclass(frozen=True, slots=True)
class Cursor:
    """A receiver of a line; see `db.tables.outbox.OutboxCursor`."""

    line: str
    receiver: str
    told: int
    since: int
    moved_at: datetime
    owner: str | None = None
    lease_until: datetime | None = None
    paused_at: datetime | None = None
    paused_by: str | None = None
    away_since: datetime | None = None
    problem: str | None = None
    figures: Mapping[str, Any] | None = None


class State(StrEnum):
    """How it is with a receiver."""

    TOLD = "told"
    AWAY = "away"  # it takes nothing
    PAUSED = "paused"  # somebody wants it so
    NOBODY = "nobody"  # no dispatcher tells it


def state(cursor: Cursor, now: datetime) -> State:
    """How it is with a receiver now, by the database's clock."""
    if cursor.paused_at is not None:
        return State.PAUSED
    if cursor.lease_until is None or cursor.lease_until <= now:
        return State.NOBODY
    return State.TOLD if cursor.away_since is None else State.AWAY


def register(connection: Connection, line: str, receivers: Collection[str]) -> None:
    """From now on this line has an outbox, and these receivers are told what is written to it.

    Harmless to repeat: one that is there stays where it is. A line that had an outbox before goes
    on from the number that it had reached: receivers know a repeat by its number.
    """
    now = database_now(connection)
    reached = select(func.max(_OUTBOX.last)).where(_OUTBOX.line == line)
    row = {"line": line, "last": connection.scalar(reached) or 0, "since": now}
    connection.execute(insert_into(connection, _LINES).values(row).on_conflict_do_nothing())
    last = connection.execute(select(_LINES.c.last).where(_LINES.c.line == line)).scalar_one()
    for receiver in sorted(receivers):
        row = {"line": line, "receiver": receiver, "told": last, "since": last, "moved_at": now}
        connection.execute(insert_into(connection, _TABLE).values(row).on_conflict_do_nothing())


def cursors(connection: Connection) -> list[tuple[Cursor, int]]:
    """Every receiver, and the number of the last entry of its line's outbox."""
    query = select(_TABLE, _LINES.c.last.label("head")).join(_LINES, _LINES.c.line == _C.line)
    rows = connection.execute(query.order_by(_C.line, _C.receiver))
    return [(_cursor(row), int(row.head)) for row in rows]


def oldest_waiting(connection: Connection) -> dict[tuple[str, str], datetime]:
    """By line and receiver: when the first thing was written that it was not told yet."""
    waiting = (_OUTBOX.line == _C.line, _OUTBOX.last > _C.told)
    first = select(_OUTBOX.written_at).where(*waiting).order_by(_OUTBOX.last)
    at = first.limit(1).scalar_subquery()
    query = select(_C.line, _C.receiver, at).where(_C.receiver != CLOCK)
    return {(line, name): at for line, name, at in connection.execute(query) if at is not None}


def take(
    connection: Connection, line: str, receiver: str, owner: str, gone: Collection[str] = ()
) -> Cursor | None:
    """Take or renew the lease of a receiver; None: another dispatcher has it, or it is not there.

    Args:
        gone: owners that are known to have ended, whose leases need not run out.
    """
    now = database_now(connection)
    free = [_C.owner.is_(None), _C.owner == owner, _C.lease_until < now, _C.owner.in_(gone)]
    statement = (
        update(_TABLE)
        .where(_C.line == line, _C.receiver == receiver, or_(*free))
        .values(owner=owner, lease_until=now + LEASE)
        .returning(*_C)
    )
    row = connection.execute(statement).first()
    return None if row is None else _cursor(row)


def held(connection: Connection, line: str, receiver: str, owner: str) -> Cursor | None:
    """The receiver as its row is now, if this dispatcher has its lease; takes nothing."""
    mine = (_C.line == line, _C.receiver == receiver, _C.owner == owner)
    row = connection.execute(select(*_C).where(*mine)).first()
    return None if row is None else _cursor(row)


def renew(connection: Connection, owner: str) -> None:
    """Renew every lease that a dispatcher holds."""
    until = database_now(connection) + LEASE
    connection.execute(update(_TABLE).where(_C.owner == owner).values(lease_until=until))


def release(connection: Connection, owner: str) -> None:
    """Give every lease of a dispatcher back, so that another need not wait."""
    free = {"owner": None, "lease_until": None}
    connection.execute(update(_TABLE).where(_C.owner == owner).values(free))


def owners(connection: Connection) -> set[str]:
    """Who holds a lease, or did."""
    return set(connection.execute(select(_C.owner).where(_C.owner.is_not(None))).scalars())


def move(connection: Connection, cursor: Cursor, told: int, owner: str, now: datetime) -> bool:
    """Note that the receiver has all up to `told`; False: somebody else tells it, or moved it.

    Args:
        now: by the database's clock.
    """
    mine = (_C.line == cursor.line, _C.receiver == cursor.receiver, _C.owner == owner)
    values = {"told": told, "moved_at": now}
    statement = update(_TABLE).where(*mine, _C.told == cursor.told).values(values)
    return connection.execute(statement).rowcount == 1


def moved_to(cursor: Cursor, told: int) -> Cursor:
    """The cursor as it is after `move`."""
    return replace(cursor, told=told)


def describe(connection: Connection, line: str, receiver: str, **values: Any) -> None:
    """Note what is known of a receiver: `away_since`, `problem`, `figures`."""
    if values.get("problem") is not None:
        values["problem"] = storable(values["problem"], 500)
    mine = (_C.line == line, _C.receiver == receiver)
    connection.execute(update(_TABLE).where(*mine).values(values))


def pause(connection: Connection, line: str, receiver: str, by: str | None) -> bool:
    """Tell a receiver nothing until it is resumed (`by` None); whether there is such a one."""
    at = None if by is None else database_now(connection)
    mine = (_C.line == line, _C.receiver == receiver, _C.receiver != CLOCK)
    statement = update(_TABLE).where(*mine).values(paused_at=at, paused_by=storable(by))
    return connection.execute(statement).rowcount == 1


def replay(connection: Connection, line: str, receiver: str, after: int) -> bool:
    """Tell a receiver again all after an entry, or nothing up to it; whether there is such a one.

    What is told again has its first revision again, and so the same ids as at first.
    """
    mine = (_C.line == line, _C.receiver == receiver, _C.receiver != CLOCK)
    values = {"told": after, "since": after, "moved_at": database_now(connection)}
    if connection.execute(update(_TABLE).where(*mine).values(values)).rowcount != 1:
        return False
    theirs = (_PARTS.c.line == line, _PARTS.c.receiver == receiver)
    connection.execute(delete(_PARTS).where(*theirs))
    return True


def forget(connection: Connection, line: str, receiver: str) -> bool:
    """Forget a receiver and what it was told; whether there was such a one.

    If it was its line's last, nothing more is written for the line until it has one again.
    """
    mine = (_C.line == line, _C.receiver == receiver, _C.receiver != CLOCK)
    if connection.execute(delete(_TABLE).where(*mine)).rowcount != 1:
        return False
    theirs = [_PARTS.c.receiver == receiver]
    rest = select(_C.receiver).where(_C.line == line, _C.receiver != CLOCK)
    if connection.execute(rest.limit(1)).first() is None:
        connection.execute(delete(_TABLE).where(_C.line == line))
        connection.execute(delete(_LINES).where(_LINES.c.line == line))
        theirs = []
    connection.execute(delete(_PARTS).where(_PARTS.c.line == line, *theirs))
    return True


def _cursor(row: Row[Any]) -> Cursor:
    return Cursor(**{name: getattr(row, name) for name in Cursor.__slots__})
