"""Drift baselines: made once a camera and model, then the same for every worker."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, select, tuple_, update

from db import audit
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


class Kept(NamedTuple):
    """What is compared with, as JSON: the baseline, and that of light and focus if it is made.

    Attributes:
        made_at: when it was kept; None before.
    """

    baseline: str
    optics: str | None
    made_at: datetime | None = None


def baseline(engine: Engine, camera: Camera) -> Kept | None:
    """What was kept, or None while there is nothing."""
    with reading(engine) as connection:
        return _kept(connection, camera)


def keep(connection: Connection, camera: Camera, made: Kept, *, fingerprint: str) -> Kept:
    """Keep a baseline unless there is one; returns what holds."""
    row = {
        **camera._asdict(),
        "fingerprint": fingerprint,
        "baseline": made.baseline,
        "optics": made.optics,
        "made_at": database_now(connection),
    }
    connection.execute(insert_into(connection, _TABLE).on_conflict_do_nothing().values(row))
    kept = _kept(connection, camera) or made
    if kept.optics is None and made.optics is not None:  # a worker of 0.1.0 was sooner
        kept = keep_optics(connection, camera, made.optics) or made
    return kept


def keep_optics(connection: Connection, camera: Camera, json: str) -> Kept | None:
    """Keep charts of light and focus beside a baseline without any, such as one of 0.1.0.

    Returns:
        What holds; None where the baseline was forgotten meanwhile.
    """
    none_yet = _of(camera) & _TABLE.c.optics.is_(None)
    connection.execute(update(_TABLE).where(none_yet).values(optics=json))
    return _kept(connection, camera)


def _kept(connection: Connection, camera: Camera) -> Kept | None:
    query = select(_TABLE.c.baseline, _TABLE.c.optics, _TABLE.c.made_at).where(_of(camera))
    row = connection.execute(query).one_or_none()
    return None if row is None else Kept(*row)


def _of(camera: Camera) -> ColumnElement[bool]:
    return and_(*(_TABLE.c[name] == value for name, value in camera._asdict().items()))


def made_at(engine: Engine, cameras: Collection[Camera]) -> dict[Camera, datetime]:
    """When the baselines of these cameras were kept; those that are forgotten are left out."""
    key = [_TABLE.c[name] for name in Camera._fields]
    query = select(*key, _TABLE.c.made_at).where(tuple_(*key).in_([tuple(c) for c in cameras]))
    with reading(engine) as connection:
        return {Camera(*row[:-1]): row[-1] for row in connection.execute(query)}


def forget(
    connection: Connection, line: str, *, product: str | None = None, by: str, why: str
) -> int:
    """Let a line's cameras start anew, once it was changed on purpose; audited.

    Their next parts make new baselines. Alarms by the old ones are over: by the new ones nobody
    could tell.

    Args:
        product: only of this one; of all unless said.

    Returns:
        How many baselines there were.
    """
    a = _ALERTS.c
    where = _TABLE.c.line == line
    over = a.resolved_at.is_(None) & (a.kind == ALERT) & (a.line == line)
    if product is not None:
        where &= _TABLE.c.product == product
        over &= a.product == product
    connection.execute(update(_ALERTS).where(over).values(resolved_at=database_now(connection)))
    count = connection.execute(delete(_TABLE).where(where)).rowcount
    if count:
        audit.append(connection, by, "line.rebaseline", line, {"product": product, "why": why})
    return count
