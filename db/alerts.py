"""Alerts: raised once, open until someone or something resolves them.

An alert about one worker has that worker's name as its `source`, and the worker renews it while it
lasts. So it ends with the worker too: nobody else could tell that it is over.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Engine, func, select, update

from db.base import table_of
from db.clock import database_now
from db.session import reading
from db.storable_text import storable
from db.tables import Alert

_TABLE = table_of(Alert)


@dataclass(frozen=True, slots=True)
class AlertInfo:
    """An alert; `resolved_at` None means that it still stands.

    `closed_by` is None where it ended by itself.
    """

    id: int
    raised_at: datetime
    kind: str
    severity: str
    line: str | None
    product: str | None
    message: str
    resolved_at: datetime | None
    source: str | None = None
    seen_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    closed_by: str | None = None
    note: str | None = None

    @property
    def state(self) -> str:
        """In a word: open, acknowledged or closed."""
        if self.resolved_at is not None:
            return "closed"
        return "open" if self.acknowledged_at is None else "acknowledged"


def raise_alert(
    connection: Connection,
    *,
    kind: str,
    severity: str,
    message: str,
    line: str | None = None,
    product: str | None = None,
    source: str | None = None,
) -> int:
    """Raise an alert; returns its number. While it stands, the same words raise no second one.

    Args:
        source: the worker it is about, which calls this again while it lasts, see `lapse`.
    """
    c = _TABLE.c
    row = {
        "kind": kind,
        "severity": severity,
        "line": storable(line),
        "product": storable(product),
        "message": storable(message, 2000),
        "source": storable(source),
    }
    same = [c[name].is_not_distinct_from(value) for name, value in row.items()]
    now = database_now(connection)
    open_ = connection.execute(select(c.id).where(c.resolved_at.is_(None), *same)).scalar()
    if open_ is not None:
        connection.execute(update(_TABLE).where(c.id == open_).values(seen_at=now))
        return int(open_)
    statement = _TABLE.insert().values(**row, raised_at=now, seen_at=now).returning(c.id)
    return int(connection.execute(statement).scalar_one())


def resolve(
    connection: Connection,
    *,
    kind: str,
    product: str | None = None,
    line: str | None = None,
    source: str | None = None,
) -> int:
    """Resolve the open alerts of a kind about a product and line; returns how many.

    With `source`, only those about that worker.
    """
    c = _TABLE.c
    where = [
        c.resolved_at.is_(None),
        c.kind == kind,
        c.product.is_not_distinct_from(product),
        c.line.is_not_distinct_from(line),
    ]
    if source is not None:
        where.append(c.source == source)
    return _resolve(connection, *where)


def resolve_one(connection: Connection, id_: int) -> bool:
    """Resolve one alert by its number; whether it was open."""
    return _resolve(connection, _TABLE.c.resolved_at.is_(None), _TABLE.c.id == id_) == 1


def lapse(connection: Connection, *, kinds: Collection[str], unseen_for: timedelta) -> int:
    """Resolve the open alerts of these kinds that their workers renew no more; returns how many."""
    c = _TABLE.c
    seen_at = func.coalesce(c.seen_at, c.raised_at)
    before = database_now(connection) - unseen_for
    return _resolve(connection, c.resolved_at.is_(None), c.kind.in_(kinds), seen_at < before)


def open_alerts(engine: Engine) -> list[AlertInfo]:
    """The alerts that stand, newest first."""
    query = select(_TABLE).where(_TABLE.c.resolved_at.is_(None)).order_by(_TABLE.c.id.desc())
    with reading(engine) as connection:
        return [AlertInfo(**row) for row in connection.execute(query).mappings()]


def _resolve(connection: Connection, *where: ColumnElement[bool]) -> int:
    now = database_now(connection)
    return connection.execute(update(_TABLE).where(*where).values(resolved_at=now)).rowcount
