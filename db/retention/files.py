"""Files of old pictures: which may go, and which others need.

A file goes only if no younger, labelled or golden picture may be of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Engine, case, exists, func, or_, select

from db.base import table_of
from db.inspections.by_file import File, of_files
from db.retention.queries import Product, kept, next_pictures
from db.session import reading
from db.tables import GoldenItem, Inspection, Label, Requeue

_INSPECTIONS = table_of(Inspection)


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
        rows = next_pictures(connection, "pictures", product, before, batch)
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
