"""What there is to tell a line, in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, select

from db.base import table_of
from db.tables import Outbox, OutboxLine

_OUTBOX, _LINES = table_of(Outbox).c, table_of(OutboxLine).c
_FIRST_ROWS = 2


class PartKey(NamedTuple):
    """A pass of a serial number; serial '': a picture without one, whose id is the scope."""

    product: str
    serial: str
    scope: str
    pass_number: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to tell: a picture's id, or a part; `kind` as of `db.tables.outbox.Outbox`."""

    sequence: int
    kind: str
    written_at: datetime
    picture: UUID | None = None
    part: PartKey | None = None


def head(connection: Connection, line: str) -> int:
    """The number of the last entry; 0 where the line has no outbox."""
    return int(connection.execute(select(_LINES.last).where(_LINES.line == line)).scalar() or 0)


def number_before(connection: Connection, line: str, at: datetime) -> int:
    """The number of the last entry that was written before a time, of those that are there."""
    row = select(_OUTBOX.first).where(_OUTBOX.line == line, _OUTBOX.written_at >= at)
    first = connection.execute(row.order_by(_OUTBOX.last).limit(1)).scalar()
    return head(connection, line) if first is None else int(first) - 1


def begun(connection: Connection, line: str) -> datetime | None:
    """When the line got its outbox; None: it has none."""
    return connection.execute(select(_LINES.since).where(_LINES.line == line)).scalar()


def entries_after(connection: Connection, line: str, after: int, limit: int) -> list[Entry]:
    """The next entries of a line, at most `limit`, in order.

    Empty where there are none. What was purged is passed over.
    """
    query = select(_OUTBOX.first, _OUTBOX.last, _OUTBOX.kind, _OUTBOX.entries, _OUTBOX.written_at)
    query = query.where(_OUTBOX.line == line).order_by(_OUTBOX.last)
    found: list[Entry] = []
    reached, wanted = after, _FIRST_ROWS
    while len(found) < limit:
        rows = connection.execute(query.where(_OUTBOX.last > reached).limit(wanted)).all()
        found += islice(_entries(rows, after), limit - len(found))
        if len(rows) < wanted:
            break
        # A row has one entry or hundreds; what a gate waits for is mostly one row.
        reached, wanted = rows[-1].last, 2 * wanted
    return found


def _entries(rows: Sequence[Any], after: int) -> Iterator[Entry]:
    """Those behind `after`, one by one: of a long row a reader may want but the beginning."""
    for first, _, kind, values, written_at in rows:
        passed = max(0, after + 1 - first)
        for sequence, value in enumerate(values[passed:], first + passed):
            if kind == "pictures":
                yield Entry(sequence, kind, written_at, picture=UUID(value))
            else:
                yield Entry(sequence, kind, written_at, part=PartKey(*value))
