"""Drift baselines: made once a camera and model, then the same for every worker."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, Engine, delete, select, update

from db.base import table_of
from db.clock import database_now
from db.session import reading
from db.tables import Alert, DriftBaseline
from db.upsert import insert_into

ALERT = "drift"  # the kind of its alarms
_TABLE = table_of(DriftBaseline)
_ALERTS = table_of(Alert)


class Camera(NamedTuple):
    """Whose parts, under which model. '' where a message did not say."""

    product: str
    line: str
    camera: str
    model_version: str


def baseline(engine: Engine, camera: Camera) -> str | None:
    """The JSON that was kept, or None while there is none."""
    with reading(engine) as connection:
        return _kept(connection, camera)


def keep(connection: Connection, camera: Camera, json: str, *, fingerprint: str) -> str:
    """Keep a baseline unless there is one; returns the one that holds."""
    row = {
        **camera._asdict(),
        "fingerprint": fingerprint,
        "baseline": json,
        "made_at": database_now(connection),
    }
    connection.execute(insert_into(connection, _TABLE).on_conflict_do_nothing().values(row))
    return _kept(connection, camera) or json


def _kept(connection: Connection, camera: Camera) -> str | None:
    query = select(_TABLE.c.baseline)
    for name, value in camera._asdict().items():
        query = query.where(_TABLE.c[name] == value)
    found: str | None = connection.scalar(query)
    return found


def forget(connection: Connection, product: str, line: str | None = None) -> int:
    """Let cameras start anew, once a station was changed on purpose; returns how many do.

    Alarms by the old baselines are over: by the new ones nobody could tell.
    """
    where = _TABLE.c.product == product
    a = _ALERTS.c
    over = (a.resolved_at.is_(None)) & (a.kind == ALERT) & (a.product == product)
    if line is not None:
        where &= _TABLE.c.line == line
        over &= a.line == line
    connection.execute(update(_ALERTS).where(over).values(resolved_at=database_now(connection)))
    return connection.execute(delete(_TABLE).where(where)).rowcount
