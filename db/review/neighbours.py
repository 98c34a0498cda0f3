"""Labelled pictures that a part can be held beside, with their features."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, and_, select

from db.base import table_of
from db.tables import Feature, LabelledPicture

_L, _F = table_of(LabelledPicture).c, table_of(Feature).c


class Labelled(NamedTuple):
    """A labelled picture; `vector` is float16, little endian."""

    id: UUID
    label: str
    vector: bytes


def labelled_vectors(
    connection: Connection, product: str, fingerprint: str, limit: int = 1000
) -> list[Labelled]:
    """The newest labelled pictures of a product whose features are stored."""
    same = and_(_F.inspection_id == _L.inspection_id, _F.fingerprint == fingerprint)
    query = (
        select(_L.inspection_id, _L.label, _F.vector)
        .join(table_of(Feature), same)
        .where(_L.product == product)
        .order_by(_L.recorded_at.desc(), _L.inspection_id)
        .limit(limit)
    )
    return [Labelled(*row) for row in connection.execute(query)]
