"""Purges: old rows go in small batches, and nothing that somebody labelled or keeps as golden.

Each function handles one batch of one product in one transaction and says how far it came, so a
purge never holds a lock for long and can be stopped at any moment. `product` '' means: of no
registered product; `registered` names those.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    and_,
    case,
    delete,
    exists,
    func,
    or_,
    select,
)

from db.base import table_of
from db.inspections.by_file import File, of_files
from db.parts.pairs import of_serials
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
    Part,
    PartCount,
    PartShiftCount,
    PurgedView,
    Requeue,
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
    for child in (InspectionScore, Feature):
        connection.execute(delete(child).where(child.inspection_id.in_(ids)))
    connection.execute(delete(Inspection).where(Inspection.id.in_(ids)))
    return len(ids)


def purge_features(
    connection: Connection, product: Product, before: datetime, batch: int
) -> tuple[int, bool]:
    """Delete the features of the oldest inspections; returns how many, and whether there is more.

    Labelled pictures keep theirs: they are what the next model trains with.
    """
    rows = _next(connection, "features", product, before, batch)
    ids = sorted(id_ for id_, _ in rows)
    c = _INSPECTIONS.c
    # Who labels a picture locks its row as well, in the same order: so the delete sees the label.
    mine = select(c.id).where(c.id.in_(ids)).order_by(c.id)
    connection.execute(mine.with_for_update())
    doomed = Feature.inspection_id.in_(ids) & ~kept(Feature.__table__.c.inspection_id)
    count = connection.execute(delete(Feature).where(doomed)).rowcount
    if rows:
        move_mark(connection, "features", product[0], rows[-1][1])
    return count, bool(rows)


class OldPicture(NamedTuple):
    """A picture whose file may go if nothing else needs it; `uri` None: it must stay."""

    uri: str | None
    sha256: str | None
    decided_at: datetime


class Sharing(NamedTuple):
    """Inspections that may be of one file: the newest of a spelling and product."""

    uri: str
    product: str | None
    decided_at: datetime
    kept: bool


def old_pictures(
    engine: Engine, product: Product, before: datetime, batch: int
) -> list[OldPicture]:
    """The next batch of pictures after the mark, oldest first."""
    c = _INSPECTIONS.c
    with reading(engine) as connection:
        rows = _next(connection, "pictures", product, before, batch)
        free: dict[UUID, OldPicture] = {}
        for ids in _chunks([id_ for id_, _ in rows]):
            query = select(c.id, c.image_uri, c.image_sha256, c.decided_at)
            for row in connection.execute(query.where(c.id.in_(ids), ~_kept_file(c.id))):
                free[row.id] = OldPicture(*row[1:])
        return [free.get(id_, OldPicture(None, None, at)) for id_, at in rows]


def sharing(engine: Engine, uris: Collection[str], digests: Collection[str]) -> list[Sharing]:
    """The inspections that name one of `uris`, or were of the same bytes under any name.

    The same file may be spelt in many ways, so whoever deletes it must ask the file system which of
    these are it.
    """
    c = _INSPECTIONS.c
    any_kept = func.max(case((_kept_file(c.id), 1), else_=0))
    query = select(c.image_uri, c.product, func.max(c.decided_at), any_kept)
    query = query.where(c.image_uri.is_not(None)).group_by(c.image_uri, c.product)
    asked: tuple[tuple[File, Collection[str]], ...]
    asked = (("image_uri", uris), ("image_sha256", digests))
    found = []
    with reading(engine) as connection:
        for file, values in asked:
            for chunk in _chunks(sorted(values)):
                mine = query.where(of_files(connection, file, chunk))
                for uri, product, at, kept_ in connection.execute(mine):
                    found.append(Sharing(uri, product, at, bool(kept_)))
    return found


def kept_uris(engine: Engine, since: datetime | None = None) -> Iterator[str]:
    """Where the pictures lie whose files no purge may touch; of those kept `since` then."""
    label, golden, leave = table_of(Label).c, table_of(GoldenItem).c, table_of(Requeue).c
    of = (
        (label.inspection_id, label.recorded_at),
        (golden.inspection_id, golden.added_at),
        (leave.image_id, leave.requeued_at),
    )
    c = _INSPECTIONS.c
    for id_, at in of:
        query = select(c.image_uri).distinct().join_from(_INSPECTIONS, id_.table, id_ == c.id)
        query = query.where(c.image_uri.is_not(None))
        if since is not None:
            query = query.where(at >= since)
        with reading(engine) as connection:
            rows = connection.execution_options(yield_per=1000).execute(query)
            yield from (str(uri) for uri in rows.scalars())


def _kept_file(id_: ColumnElement[UUID]) -> ColumnElement[bool]:
    """Whether the file must stay: also of a picture that was sent again and is not judged yet."""
    return or_(kept(id_), exists(select(Requeue.image_id).where(Requeue.image_id == id_)))


def _chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Lists that a statement can bind."""
    return (values[start : start + 500] for start in range(0, len(values), 500))


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
    ended = and_(of_product(c.product, product), c.shift_ends_at <= before, c.serial != "", ~left)
    keys = select(c.product, c.serial).where(ended).order_by(c.made_at).limit(batch)
    found = [(row.product, row.serial) for row in connection.execute(keys)]
    younger = set(
        connection.execute(
            select(c.product, c.serial).where(
                of_serials(c.product, c.serial, found), c.shift_ends_at > before
            )
        ).all()
    )
    gone = [each for each in found if each not in younger]
    connection.execute(delete(views).where(of_serials(views.c.product, views.c.part, gone)))
    return connection.execute(
        delete(table_of(Part)).where(of_serials(c.product, c.serial, gone))
    ).rowcount


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


def _next(
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
