"""What people do about alerts: acknowledge them, close them; and the list that they look at."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Engine, select, update

from db import audit
from db.alerts import COLUMNS, AlertInfo
from db.base import table_of
from db.clock import database_now
from db.session import reading
from db.storable_text import storable
from db.tables import Alert
from linewatch.errors import AlertError

STATES = ("standing", "open", "acknowledged", "closed", "all")
LONGEST_NOTE = 2000
_TABLE = table_of(Alert)


@dataclass(frozen=True, slots=True)
class AlertList:
    """Alerts, newest first; `more`: there are older ones."""

    alerts: tuple[AlertInfo, ...]
    more: bool


def read(
    engine: Engine,
    *,
    state: str = "standing",
    line: str | None = None,
    kind: str | None = None,
    after: int | None = None,
    limit: int = 100,
) -> AlertList:
    """Alerts by their numbers, newest first.

    Args:
        state: of `STATES`; standing: open or acknowledged.
        after: the number of the last alert of the page before.

    Raises:
        AlertError: there is no such state.
    """
    c = _TABLE.c
    query = select(*COLUMNS).where(*_where(state)).order_by(c.id.desc()).limit(limit + 1)
    for column, value in ((c.line, line), (c.kind, kind)):
        if value is not None:
            query = query.where(column == storable(value))
    if after is not None:
        query = query.where(c.id < after)
    with reading(engine) as connection:
        rows = [AlertInfo(**row) for row in connection.execute(query).mappings()]
    return AlertList(tuple(rows[:limit]), len(rows) > limit)


def get(engine: Engine, id_: int) -> AlertInfo | None:
    """One alert, or None."""
    with reading(engine) as connection:
        query = select(*COLUMNS).where(_TABLE.c.id == id_)
        row = connection.execute(query).mappings().one_or_none()
    return None if row is None else AlertInfo(**row)


def acknowledge(connection: Connection, id_: int, *, by: str, note: str = "") -> AlertInfo:
    """Say that somebody takes care of an alert: it is told no more. Audited.

    Raises:
        AlertError: there is none, or somebody acknowledged or closed it before.
    """
    c = _TABLE.c
    values = {
        "acknowledged_at": database_now(connection),
        "acknowledged_by": storable(by, 200),
        "note": storable(note, LONGEST_NOTE) or None,
    }
    free = (c.acknowledged_at.is_(None), c.resolved_at.is_(None))
    return _change(connection, id_, values, free, ("alert.acknowledge", by, note))


def close(connection: Connection, id_: int, *, by: str, note: str = "") -> AlertInfo:
    """End an alert. What still is so does not raise it again until it was otherwise. Audited.

    Raises:
        AlertError: there is none, or it is over.
    """
    values = {"resolved_at": database_now(connection), "closed_by": storable(by, 200)}
    if note:
        values["note"] = storable(note, LONGEST_NOTE)
    free = (_TABLE.c.resolved_at.is_(None),)
    return _change(connection, id_, values, free, ("alert.close", by, note))


def _change(
    connection: Connection,
    id_: int,
    values: dict[str, object],
    free: tuple[ColumnElement[bool], ...],
    said: tuple[str, str, str],
) -> AlertInfo:
    c = _TABLE.c
    before = connection.execute(select(*COLUMNS).where(c.id == id_)).mappings().one_or_none()
    if before is None:
        raise AlertError(f"there is no alert {id_}; see `linewatch alerts list`")
    old = AlertInfo(**before)
    statement = update(_TABLE).where(c.id == id_, *free).values(values)
    if not connection.execute(statement).rowcount:
        now = AlertInfo(**connection.execute(select(*COLUMNS).where(c.id == id_)).mappings().one())
        who = now.closed_by if now.state == "closed" else now.acknowledged_by
        how = {"closed": "closed", "acknowledged": "acknowledged"}.get(now.state, "changed")
        raise AlertError(f"alert {id_} was {how} already, by {who or 'itself'}")
    new = AlertInfo(**connection.execute(select(*COLUMNS).where(c.id == id_)).mappings().one())
    action, by, note = said
    detail = {"old": old.state, "new": new.state, "kind": old.kind, "note": note[:LONGEST_NOTE]}
    audit.append(connection, by, action, str(id_), detail)
    return new


def _where(state: str) -> list[ColumnElement[bool]]:
    c = _TABLE.c
    stands, known = c.resolved_at.is_(None), c.acknowledged_at.is_not(None)
    conditions: dict[str, list[ColumnElement[bool]]] = {
        "standing": [stands],
        "open": [stands, ~known],
        "acknowledged": [stands, known],
        "closed": [~stands],
        "all": [],
    }
    if state not in conditions:
        raise AlertError(f"no alerts are {state!r}; choose from {', '.join(STATES)}")
    return conditions[state]
