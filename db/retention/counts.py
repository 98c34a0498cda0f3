"""Purges of what is counted: by hour, slice and shift, with the parts that nothing is left of."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, and_, delete, exists, func, select

from db.base import table_of
from db.parts.pairs import of_serials
from db.retention.months import first_id
from db.retention.queries import Product, of_product
from db.tables import (
    Inspection,
    InspectionHourly,
    Part,
    PartCount,
    PartShiftCount,
    PurgedSingle,
    PurgedView,
)

_INSPECTIONS = table_of(Inspection)
_HOURLY = table_of(InspectionHourly)


def purge_rollups(connection: Connection, product: Product, before: datetime, batch: int) -> int:
    """Delete the oldest hours' counts, and then parts'; returns how many rows, 0 at the end."""
    where = and_(of_product(_HOURLY.c.product, product), _HOURLY.c.hour < before)
    hours = select(_HOURLY.c.hour).where(where).order_by(_HOURLY.c.hour).limit(batch)
    newest = connection.scalar(select(func.max(hours.subquery().c.hour)))
    if newest is not None:
        return connection.execute(delete(_HOURLY).where(where, _HOURLY.c.hour <= newest)).rowcount
    return _purge_parts(connection, product, before, batch)


def _purge_parts(connection: Connection, product: Product, before: datetime, batch: int) -> int:
    """Delete what ended before: counts of whole shifts, and parts with no picture left.

    Whole shifts, or a report on half of one would differ from a report on all of it.
    """
    for model in (PartCount, PartShiftCount):
        table = table_of(model)
        where = and_(of_product(table.c.product, product), table.c.shift_ends_at <= before)
        first = next(iter(table.primary_key.columns))
        oldest = select(first).where(where).order_by(first).limit(batch).subquery()
        newest = connection.scalar(select(func.max(oldest.c[first.name])))
        if newest is not None:
            return connection.execute(delete(table).where(where, first <= newest)).rowcount
    return _forget_parts(connection, product, before, batch)


def _forget_parts(connection: Connection, product: Product, before: datetime, batch: int) -> int:
    c, views = table_of(Part).c, table_of(PurgedView)
    left = exists(
        select(_INSPECTIONS.c.id).where(
            _INSPECTIONS.c.part == c.serial, func.coalesce(_INSPECTIONS.c.product, "") == c.product
        )
    )
    later = table_of(Part).alias("later").c
    # Asked here and not of what was found: a batch of such parts would end the purge.
    younger = exists(
        select(later.serial).where(
            later.product == c.product, later.serial == c.serial, later.shift_ends_at > before
        )
    )
    ended = and_(of_product(c.product, product), c.shift_ends_at <= before, c.serial != "")
    keys = select(c.product, c.serial).where(ended, ~left, ~younger).order_by(c.made_at)
    gone = [(row.product, row.serial) for row in connection.execute(keys.limit(batch))]
    connection.execute(delete(views).where(of_serials(views.c.product, views.c.part, gone)))
    parts = delete(table_of(Part)).where(of_serials(c.product, c.serial, gone))
    return connection.execute(parts).rowcount or _forget_singles(connection, product, before, batch)


def _forget_singles(connection: Connection, product: Product, before: datetime, batch: int) -> int:
    """Delete ids of then: what would be counted twice is counted no more."""
    c = table_of(PurgedSingle).c
    old = select(c.id).where(of_product(c.product, product), c.id < first_id(before))
    ids = connection.scalars(old.order_by(c.id).limit(batch)).all()
    return connection.execute(delete(PurgedSingle).where(c.id.in_(ids))).rowcount if ids else 0
