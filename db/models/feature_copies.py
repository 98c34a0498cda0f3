"""Features of copies of labelled pictures: what a product's symmetry lets models learn beside them.

They are made once, by idle workers, and stored under the picture, the fingerprint and the copy's
name. No model judges them, and they go where their picture goes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import Connection, Engine, exists, func, select

from db.base import table_of
from db.challenges.pictures import is_challenge
from db.clock import database_now
from db.inspections.records import StoredFeatures
from db.labels.labels import UnseenExample
from db.session import reading
from db.tables import Feature, FeatureCopy, GoldenItem, Inspection, Label
from db.upsert import insert_many_into, many

_COPY = table_of(FeatureCopy)
_CHUNK = 500


def without_copies(
    engine: Engine, product: str, fingerprint: str, names: Sequence[str], *, limit: int
) -> list[UnseenExample]:
    """The newest labelled pictures that models may learn from and that lack one of these copies.

    Golden pictures and those of challenges need none; nor does a picture that has no features of
    its own yet, for it comes first.
    """
    id_ = table_of(Inspection).c.id
    had = (
        select(func.count())
        .where(_COPY.c.inspection_id == id_, _COPY.c.fingerprint == fingerprint)
        .where(_COPY.c.copy.in_(names))
        .scalar_subquery()
    )
    query = (
        select(id_, Inspection.image_uri, Inspection.image_sha256, Inspection.camera)
        .join(Feature, Feature.inspection_id == id_)
        .where(Feature.fingerprint == fingerprint)
        .where(exists(select(Label.id).where(Label.inspection_id == id_, Label.product == product)))
        .where(~exists(select(GoldenItem.inspection_id).where(GoldenItem.inspection_id == id_)))
        .where(~is_challenge(), had < len(names))
        .order_by(id_.desc())
        .limit(limit)
    )
    with reading(engine) as connection:
        return [UnseenExample(*row) for row in connection.execute(query)]


def store_copies(
    connection: Connection, picture: UUID, copies: Mapping[str, StoredFeatures]
) -> int:
    """Add the copies of a picture, by name; returns how many were not there."""
    now = database_now(connection)
    rows = [
        {
            "inspection_id": picture,
            "fingerprint": stored.fingerprint,
            "copy": name,
            "vector": stored.vector,
            "created_at": now,
        }
        for name, stored in sorted(copies.items())
    ]
    if not rows:
        return 0
    statement = insert_many_into(connection, _COPY).on_conflict_do_nothing()
    added = connection.execute(statement.returning(_COPY.c.copy), many(connection, rows))
    return len(added.scalars().all())


def vectors(engine: Engine, ids: Sequence[UUID], fingerprint: str) -> dict[UUID, dict[str, bytes]]:
    """The vectors (float16, little endian) of the copies of those of `ids` that have any, by name.

    They are in the order of their names: the same copies, the same fit.
    """
    c, found = _COPY.c, dict[UUID, dict[str, bytes]]()
    query = select(c.inspection_id, c.copy, c.vector).where(c.fingerprint == fingerprint)
    query = query.order_by(c.inspection_id, c.copy)
    with reading(engine) as connection:
        for start in range(0, len(ids), _CHUNK):
            chunk = query.where(c.inspection_id.in_(ids[start : start + _CHUNK]))
            for id_, name, vector in connection.execute(chunk):
                found.setdefault(id_, {})[name] = vector
    return found
