"""Purges: old rows go in small batches, and nothing that somebody labelled or keeps as golden.

Each function handles one batch of one product in one transaction and says how far it came, so a
purge never holds a lock for long and can be stopped at any moment. `product` '' means: of no
registered product; `registered` names those.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, exists, func, or_, select

from db.base import table_of
from db.retention_marks import marked_until, move_mark
from db.session import reading, transaction
from db.tables import (
    Feature,
    GoldenItem,
    Inspection,
    InspectionHourly,
    InspectionScore,
    Label,
)

_INSPECTIONS = table_of(Inspection)
_HOURLY = table_of(InspectionHourly)
Product = tuple[str, Collection[str]]  # the product, or '', and all registered ones


def kept(id_: ColumnElement[UUID]) -> ColumnElement[bool]:
    """Whether the inspection of this id is labelled or golden."""
    return or_(
        exists(select(Label.id).where(Label.inspection_id == id_)),
        exists(select(GoldenItem.inspection_id).where(GoldenItem.inspection_id == id_)),
    )


def of_product(column: ColumnElement[str | None], product: Product) -> ColumnElement[bool]:
    """Whether a row is of this product."""
    code, registered = product
    if code:
        return column == code
    return or_(column.is_(None), column.not_in(list(registered)))


def purge_inspections(engine: Engine, product: Product, before: datetime, batch: int) -> int:
    """Delete the oldest inspections with their scores and features; returns how many, 0 at the end.

    A label that is given at the same moment wins: its picture is locked, and skipped.
    """
    c = _INSPECTIONS.c
    query = (
        select(c.id)
        .where(of_product(c.product, product), c.decided_at < before, ~kept(c.id))
        .order_by(c.decided_at)
        .limit(batch)
    )
    with transaction(engine) as connection:
        locked = connection.execute(query.with_for_update(skip_locked=True)).scalars().all()
        # Looked at once more: a label may have come between the query's snapshot and the lock.
        spared = set(connection.execute(select(c.id).where(c.id.in_(locked), kept(c.id))).scalars())
        ids = [id_ for id_ in locked if id_ not in spared]
        # Not left to ON DELETE CASCADE, which partitioned tables do not have here.
        for child in (InspectionScore, Feature):
            connection.execute(delete(child).where(child.inspection_id.in_(ids)))
        connection.execute(delete(Inspection).where(Inspection.id.in_(ids)))
        return len(ids)


def purge_features(
    engine: Engine, product: Product, before: datetime, batch: int
) -> tuple[int, bool]:
    """Delete the features of the oldest inspections; returns how many, and whether there is more.

    Labelled pictures keep theirs: they are what the next model trains with.
    """
    with transaction(engine) as connection:
        rows = _next(connection, "features", product, before, batch)
        ids = [id_ for id_, _ in rows]
        doomed = Feature.inspection_id.in_(ids) & ~kept(Feature.__table__.c.inspection_id)
        count = connection.execute(delete(Feature).where(doomed)).rowcount
        if rows:
            move_mark(connection, "features", product[0], rows[-1][1])
        return count, bool(rows)


def old_pictures(
    engine: Engine, product: Product, before: datetime, batch: int
) -> list[tuple[str | None, datetime]]:
    """The next batch of URIs, with when each was decided; None where the file must stay.

    A file stays while any inspection of the same file is labelled, golden, or not old enough: of
    two inspections of one file, or of a camera that uses its file names again.
    """
    c = _INSPECTIONS.c
    other = _INSPECTIONS.alias("other")
    in_use = exists(
        select(other.c.id).where(
            other.c.image_uri == c.image_uri, or_(other.c.decided_at >= before, kept(other.c.id))
        )
    )
    with reading(engine) as connection:
        rows = _next(connection, "pictures", product, before, batch)
        ids = [id_ for id_, _ in rows]
        free = dict(
            connection.execute(select(c.id, c.image_uri).where(c.id.in_(ids), ~in_use)).all()
        )
        return [(free.get(id_), at) for id_, at in rows]


def purge_rollups(engine: Engine, product: Product, before: datetime, batch: int) -> int:
    """Delete the oldest hours' counts; returns how many rows, 0 at the end."""
    where = and_(of_product(_HOURLY.c.product, product), _HOURLY.c.hour < before)
    hours = select(_HOURLY.c.hour).where(where).order_by(_HOURLY.c.hour).limit(batch)
    with transaction(engine) as connection:
        newest = connection.scalar(select(func.max(hours.subquery().c.hour)))
        if newest is None:
            return 0
        return connection.execute(delete(_HOURLY).where(where, _HOURLY.c.hour <= newest)).rowcount


def count(engine: Engine, kind: str, product: Product, before: datetime) -> int:
    """How many rows a purge would handle; for pictures, an upper bound of the files."""
    c = _INSPECTIONS.c
    mine = and_(of_product(c.product, product), c.decided_at < before, ~kept(c.id))
    if kind == "rollups":
        mine = and_(of_product(_HOURLY.c.product, product), _HOURLY.c.hour < before)
        query = select(func.count()).select_from(_HOURLY).where(mine)
    elif kind == "features":
        query = select(func.count()).select_from(_INSPECTIONS.join(table_of(Feature))).where(mine)
    else:
        query = select(func.count()).select_from(_INSPECTIONS).where(mine)
    with reading(engine) as connection:
        if kind == "pictures":
            query = query.where(c.decided_at > marked_until(connection, kind, product[0]))
        return int(connection.scalar(query) or 0)


def _next(
    connection: Connection, kind: str, product: Product, before: datetime, batch: int
) -> list[tuple[UUID, datetime]]:
    """The oldest inspections after the mark; of one instant all or none, so that the mark tells."""
    c = _INSPECTIONS.c
    after = marked_until(connection, kind, product[0])
    mine = and_(of_product(c.product, product), c.decided_at < before, c.decided_at > after)
    query = select(c.id, c.decided_at).where(mine).order_by(c.decided_at)
    rows = [(id_, at) for id_, at in connection.execute(query.limit(batch))]
    if len(rows) < batch:
        return rows
    last = rows[-1][1]
    same = connection.execute(query.where(c.decided_at == last))
    return [row for row in rows if row[1] < last] + [(id_, at) for id_, at in same]
