"""Takt: how long after its capture a line's verdicts fell."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine, select

from db.base import table_of
from db.clock import database_now
from db.session import reading, transaction
from db.tables import Alert, Inspection

_INSPECTIONS = table_of(Inspection)
_ALERTS = table_of(Alert)
_MOST = 10_000  # rows looked at


def worst_latency_s(engine: Engine, line: str, *, within_s: float) -> float | None:
    """The longest time from capture to verdict among a line's last `within_s` seconds."""
    c = _INSPECTIONS.c
    with reading(engine) as connection:
        since = database_now(connection) - timedelta(seconds=within_s)
        query = select(c.captured_at, c.decided_at).where(
            c.line == line, c.decided_at >= since, c.captured_at.is_not(None)
        )
        rows = connection.execute(query.limit(_MOST)).all()
    return max(((row.decided_at - row.captured_at).total_seconds() for row in rows), default=None)


def raise_once(engine: Engine, *, line: str, kind: str, message: str) -> None:
    """Raise a line's alert unless one of this kind stands, in whatever words."""
    c = _ALERTS.c
    with transaction(engine) as connection:
        query = select(c.id).where(c.resolved_at.is_(None), c.kind == kind, c.line == line)
        if connection.scalar(query) is None:
            connection.execute(
                _ALERTS.insert().values(
                    raised_at=database_now(connection),
                    kind=kind,
                    severity="warning",
                    line=line,
                    product=None,
                    message=message,
                )
            )
