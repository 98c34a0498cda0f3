"""Drift baselines: made once a camera and model, then the same for every worker."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Engine, delete, select

from db.base import table_of
from db.clock import database_now
from db.session import reading, transaction
from db.tables import DriftBaseline
from db.upsert import insert_into

_TABLE = table_of(DriftBaseline)


class Camera(NamedTuple):
    """Whose parts, under which model. '' where a message did not say."""

    product: str
    line: str
    camera: str
    model_version: str


def baseline(engine: Engine, camera: Camera) -> str | None:
    """The JSON that was kept, or None while there is none."""
    query = select(_TABLE.c.baseline)
    for name, value in camera._asdict().items():
        query = query.where(_TABLE.c[name] == value)
    with reading(engine) as connection:
        found: str | None = connection.scalar(query)
    return found


def keep(engine: Engine, camera: Camera, json: str, *, fingerprint: str) -> str:
    """Keep a baseline unless there is one; returns the one that holds."""
    with transaction(engine) as connection:
        row = {
            **camera._asdict(),
            "fingerprint": fingerprint,
            "baseline": json,
            "made_at": database_now(connection),
        }
        connection.execute(insert_into(connection, _TABLE).on_conflict_do_nothing().values(row))
    return baseline(engine, camera) or json


def forget(engine: Engine, product: str, line: str | None = None) -> int:
    """Let cameras start anew, once a station was changed on purpose; returns how many do."""
    where = _TABLE.c.product == product
    if line is not None:
        where &= _TABLE.c.line == line
    with transaction(engine) as connection:
        return connection.execute(delete(_TABLE).where(where)).rowcount
