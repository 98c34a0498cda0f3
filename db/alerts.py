"""Alerts: raised once, open until someone or something resolves them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine, select, update

from db.base import table_of
from db.session import reading, transaction
from db.tables import Alert
from db.text import storable

_TABLE = table_of(Alert)


@dataclass(frozen=True, slots=True)
class AlertInfo:
    """An alert; `resolved_at` None means that it still stands."""

    id: int
    raised_at: datetime
    kind: str
    severity: str
    line: str | None
    product: str | None
    message: str
    resolved_at: datetime | None


def raise_alert(
    engine: Engine,
    *,
    kind: str,
    severity: str,
    message: str,
    line: str | None = None,
    product: str | None = None,
) -> int:
    """Raise an alert; returns its number. While it stands, the same words raise no second one."""
    c = _TABLE.c
    row = {
        "kind": kind,
        "severity": severity,
        "line": storable(line),
        "product": storable(product),
        "message": storable(message, 2000),
    }
    same = [c[name].is_not_distinct_from(value) for name, value in row.items()]
    with transaction(engine) as connection:
        open_ = connection.execute(select(c.id).where(c.resolved_at.is_(None), *same)).scalar()
        if open_ is not None:
            return int(open_)
        statement = _TABLE.insert().values(**row, raised_at=datetime.now(UTC)).returning(c.id)
        return int(connection.execute(statement).scalar_one())


def resolve(
    engine: Engine, *, kind: str, product: str | None = None, line: str | None = None
) -> int:
    """Resolve the open alerts of a kind about a product and line; returns how many."""
    c = _TABLE.c
    statement = update(_TABLE).where(
        c.resolved_at.is_(None),
        c.kind == kind,
        c.product.is_not_distinct_from(product),
        c.line.is_not_distinct_from(line),
    )
    with transaction(engine) as connection:
        return connection.execute(statement.values(resolved_at=datetime.now(UTC))).rowcount


def open_alerts(engine: Engine) -> list[AlertInfo]:
    """The alerts that stand, newest first."""
    query = select(_TABLE).where(_TABLE.c.resolved_at.is_(None)).order_by(_TABLE.c.id.desc())
    with reading(engine) as connection:
        return [AlertInfo(**row) for row in connection.execute(query).mappings()]
