"""Purges: old rows go in small batches, and nothing that somebody labelled or keeps as golden.

Each function handles one batch of one product in one transaction and says how far it came, so a
purge never holds a lock for long and can be stopped at any moment. `product` '' means: of no
registered product; `registered` names those.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    and_,
    delete,
    exists,
    func,
    or_,
    select,
)

from db.base import table_of
from db.parts.purged import keep_views
from db.retention.marks import marked_until, move_mark
from db.session import reading
from db.tables import (
    Feature,
    GoldenItem,
    Inspection,
    InspectionHourly,
    InspectionScore,
    Label,
    UnlikeMap,
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


def _of_product(connection: Connection, product: Product) -> ColumnElement[bool]:
    """The same of inspections, in words that their index by product understands.

    A purge of what is of no registered product read every old row to find none.
    """
    column = _INSPECTIONS.c.product
    code, registered = product
    if code:
        return column == code
    others = [name for name in _products(connection) if name not in registered]
    return or_(column.is_(None), column.in_(others))


def _products(connection: Connection) -> Iterator[str]:
    """The products that inspections name: a look into the index for each."""
    column = _INSPECTIONS.c.product
    found = connection.scalar(select(func.min(column)))
    while found is not None:
        yield found
        found = connection.scalar(select(func.min(column)).where(column > found))


def purge_inspections(
    connection: Connection, product: Product, before: datetime, batch: int
) -> int:
    """Delete the oldest inspections with their scores and features; returns how many, 0 at the end.

    A label that is given at the same moment wins: its picture is locked, and skipped.
    """
    c = _INSPECTIONS.c
    query = (
        select(c.id)
        .where(_of_product(connection, product), c.decided_at < before, ~kept(c.id))
        .order_by(c.decided_at)
        .limit(batch)
    )
    locked = connection.execute(query.with_for_update(skip_locked=True)).scalars().all()
    # Looked at once more: a label may have come between the query's snapshot and the lock.
    spared = set(connection.execute(select(c.id).where(c.id.in_(locked), kept(c.id))).scalars())
    ids = [id_ for id_ in locked if id_ not in spared]
    keep_views(connection, c.id.in_(ids))
    # Not left to ON DELETE CASCADE, which partitioned tables do not have here.
    for child in (InspectionScore, Feature, UnlikeMap):
        connection.execute(delete(child).where(child.inspection_id.in_(ids)))
    connection.execute(delete(Inspection).where(Inspection.id.in_(ids)))
    return len(ids)


def purge_features(
    connection: Connection, product: Product, before: datetime, batch: int
) -> tuple[int, bool]:
    """Delete the features of the oldest inspections; returns how many, and whether there is more.

    Labelled pictures keep theirs: they are what the next model trains with.
    """
    rows = next_pictures(connection, "features", product, before, batch)
    ids = sorted(id_ for id_, _ in rows)
    c = _INSPECTIONS.c
    # Who labels a picture locks its row as well, in the same order: so the delete sees the label.
    locked = select(c.id).where(c.id.in_(ids)).order_by(c.id)
    connection.execute(locked.with_for_update())
    doomed = Feature.inspection_id.in_(ids) & ~kept(Feature.__table__.c.inspection_id)
    count = connection.execute(delete(Feature).where(doomed)).rowcount
    doomed = UnlikeMap.inspection_id.in_(ids) & ~kept(UnlikeMap.__table__.c.inspection_id)
    connection.execute(delete(UnlikeMap).where(doomed))
    if rows:
        move_mark(connection, "features", product[0], rows[-1][1])
    return count, bool(rows)


def count(engine: Engine, kind: str, product: Product, before: datetime) -> int:
    """How many rows a purge would handle; for pictures, an upper bound of the files."""
    c = _INSPECTIONS.c
    with reading(engine) as connection:
        mine = and_(_of_product(connection, product), c.decided_at < before, ~kept(c.id))
        if kind == "rollups":
            mine = and_(of_product(_HOURLY.c.product, product), _HOURLY.c.hour < before)
            query = select(func.count()).select_from(_HOURLY).where(mine)
        elif kind == "features":
            joined = _INSPECTIONS.join(table_of(Feature))
            query = select(func.count()).select_from(joined).where(mine)
        else:
            query = select(func.count()).select_from(_INSPECTIONS).where(mine)
        if kind == "pictures":
            query = query.where(c.decided_at > marked_until(connection, kind, product[0]))
        return int(connection.scalar(query) or 0)


def next_pictures(
    connection: Connection, kind: str, product: Product, before: datetime, batch: int
) -> list[tuple[UUID, datetime]]:
    """The oldest inspections after the mark; of one instant all or none, so that the mark tells."""
    c = _INSPECTIONS.c
    after = marked_until(connection, kind, product[0])
    mine = and_(_of_product(connection, product), c.decided_at < before, c.decided_at > after)
    query = select(c.id, c.decided_at).where(mine).order_by(c.decided_at)
    rows = [(id_, at) for id_, at in connection.execute(query.limit(batch))]
    if len(rows) < batch:
        return rows
    last = rows[-1][1]
    same = connection.execute(query.where(c.decided_at == last))
    return [row for row in rows if row[1] < last] + [(id_, at) for id_, at in same]
