"""Deletes what every receiver has been told, and what nobody will be told any more."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, select

from db.base import table_of
from db.outbox.cursors import CLOCK
from db.tables import Outbox, OutboxCursor, OutboxPart

_OUTBOX, _PARTS, _CURSORS = table_of(Outbox), table_of(OutboxPart), table_of(OutboxCursor).c
AGAIN = timedelta(hours=1)  # so long `replay` can go back, though all have been told


def purge_outbox(connection: Connection, before: datetime, now: datetime, batch: int) -> int:
    """Delete at most `batch` rows of the outbox; returns how many.

    The newest row of a line stays, for it says how far the line has been numbered.

    Args:
        before: what was written before then goes, whoever has not been told.
        now: of what every receiver has, all but the last hour goes.
    """
    c = _OUTBOX.c
    slowest = (
        select(func.min(_CURSORS.told)).where(_CURSORS.line == c.line, _CURSORS.receiver != CLOCK)
    ).scalar_subquery()
    done = (c.written_at < now - AGAIN) & (c.last <= func.coalesce(slowest, c.last))
    one = _OUTBOX.alias()
    newest = select(func.max(one.c.last)).where(one.c.line == c.line).scalar_subquery()
    over = ((c.written_at < before) | done) & (c.last < newest)
    some = select(c.line, c.last).where(over).limit(batch)
    found = [tuple(row) for row in connection.execute(some)]
    by_line: dict[str, list[int]] = {}
    for line, last in found:
        by_line.setdefault(line, []).append(last)
    for line, numbers in sorted(by_line.items()):
        connection.execute(delete(_OUTBOX).where(c.line == line, c.last.in_(numbers)))
    return len(found)


def purge_told(connection: Connection, before: datetime, batch: int) -> int:
    """Delete at most `batch` notes of what receivers were told of parts; returns how many.

    Such a part is told as a new one when people say something of it later.
    """
    c = _PARTS.c
    keys = [c[column.name] for column in _PARTS.primary_key.columns]
    some = select(*keys).where(c.told_at < before).limit(batch)
    found = [tuple(row) for row in connection.execute(some)]
    for key in found:
        match = [column == value for column, value in zip(keys, key, strict=True)]
        connection.execute(delete(_PARTS).where(*match, c.told_at < before))
    return len(found)
