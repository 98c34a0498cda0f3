"""Alerts: raised once, open until someone or something resolves them.

An alert about one worker has that worker's name as its `source`, and the worker renews it while it
lasts. So it ends with the worker too: nobody else could tell that it is over.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, func, select, update

from db.base import table_of
from db.clock import database_now
from db.session import reading
from db.storable_text import storable
from db.tables import Alert
from db.upsert import Insert, insert_into

_TABLE = table_of(Alert)
_STANDING: dict[str, Any] = {  # what `uq_alerts_open` is about
    "index_elements": [_TABLE.c.digest],
    "index_where": _TABLE.c.resolved_at.is_(None),
}


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


COLUMNS = [_TABLE.c[column.name] for column in fields(AlertInfo)]


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
    now = database_now(connection)
    same = [c[name].is_not_distinct_from(value) for name, value in row.items()]
    # By the words and not the digest: an alert of an earlier version has none.
    again = update(_TABLE).where(c.resolved_at.is_(None), *same).values(seen_at=now)
    standing = connection.execute(again.returning(c.id)).scalars().all()
    return min(standing) if standing else insert_or_renew(connection, row, about=row)


def raise_once(connection: Connection, *, line: str, kind: str, message: str) -> None:
    """Raise a line's alert unless one of this kind stands, in whatever words."""
    c, about = _TABLE.c, {"kind": kind, "line": storable(line)}
    query = select(c.id).where(c.resolved_at.is_(None), c.kind == kind, c.line == about["line"])
    if connection.scalar(query.limit(1)) is None:
        row = {**about, "severity": "warning", "message": storable(message, 2000)}
        connection.execute(_inserted(connection, row, about).on_conflict_do_nothing(**_STANDING))


def insert_or_renew(
    connection: Connection, row: Mapping[str, Any], *, about: Mapping[str, str | None]
) -> int:
    """Insert an alert, or renew the one that stands about the same; returns its number.

    Args:
        about: what tells it from others; where somebody raises the same at this moment, this waits.
    """
    statement = _inserted(connection, row, about)
    renewed = {"seen_at": statement.excluded.seen_at}
    statement = statement.on_conflict_do_update(**_STANDING, set_=renewed)
    return int(connection.execute(statement.returning(_TABLE.c.id)).scalar_one())


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
    query = select(*COLUMNS).where(_TABLE.c.resolved_at.is_(None)).order_by(_TABLE.c.id.desc())
    with reading(engine) as connection:
        return [AlertInfo(**row) for row in connection.execute(query).mappings()]


def _inserted(
    connection: Connection, row: Mapping[str, Any], about: Mapping[str, str | None]
) -> Insert:
    words = json.dumps(about, sort_keys=True)
    digest = hashlib.sha256(words.encode()).hexdigest()
    now = database_now(connection)
    return insert_into(connection, _TABLE).values(**row, digest=digest, raised_at=now, seen_at=now)


def _resolve(connection: Connection, *where: ColumnElement[bool]) -> int:
    now = database_now(connection)
    return connection.execute(update(_TABLE).where(*where).values(resolved_at=now)).rowcount
