"""Maps of how unlike good a picture is, and where: as a model's worker stored them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Connection, Engine, select

from db.base import table_of
from db.inspections.records import InspectionRecord
from db.session import reading
from db.storable_text import storable
from db.tables import Inspection, UnlikeMap
from db.upsert import insert_many_into, many

if TYPE_CHECKING:  # who asks for a map has loaded numpy
    import numpy as np
    import numpy.typing as npt

_MAPS, _PICTURES = table_of(UnlikeMap), table_of(Inspection)
_VERSION = 128  # characters, as in `inspections`
_CHUNK = 500


@dataclass(frozen=True, slots=True, eq=False)
class UnlikeGoodMap:
    """How unlike good a picture is, and where.

    Attributes:
        version: of the model that says so.
        score: of the picture: the mean of its farthest places.
        border: of the score; above it the picture does not pass.
        places: float32 [height, width], row by row: 1 − cosine to what good parts look like.
        box: what the map covers: x0, y0, x1, y1 in fractions of the picture's sides. Places on its
            rim may reach beyond the picture.
    """

    version: str
    score: float
    border: float
    places: npt.NDArray[np.float32]
    box: tuple[float, float, float, float]


def map_of(
    connection: Connection, image_id: UUID, version: str | None = None
) -> UnlikeGoodMap | None:
    """A picture's map; None where none was kept.

    Args:
        connection: to the database.
        image_id: the inspection's id.
        version: whose; None: the model's that judged it, or else that of a shadow.
    """
    import numpy as np

    c = _MAPS.c
    query = select(_MAPS).join(_PICTURES, _PICTURES.c.id == c.inspection_id)
    query = query.where(c.inspection_id == image_id)
    if version is not None:
        query = query.where(c.model_version == version)
    own = (c.model_version == _PICTURES.c.model_version).desc()
    row = connection.execute(query.order_by(own, c.model_version).limit(1)).one_or_none()
    if row is None:
        return None
    places = np.frombuffer(row.places, "<f2").astype(np.float32).reshape(row.height, row.width)
    box = (row.x0, row.y0, row.x1, row.y1)
    return UnlikeGoodMap(row.model_version, row.score, row.border, places, box)


def scores_of(engine: Engine, ids: Sequence[UUID], version: str) -> dict[UUID, float]:
    """How unlike good a model found those of `ids` whose map by it was kept."""
    c, found = _MAPS.c, dict[UUID, float]()
    query = select(c.inspection_id, c.score).where(c.model_version == version)
    with reading(engine) as connection:
        for start in range(0, len(ids), _CHUNK):
            chunk = query.where(c.inspection_id.in_(ids[start : start + _CHUNK]))
            found.update((id_, score) for id_, score in connection.execute(chunk))
    return found


def map_rows(records: Iterable[InspectionRecord]) -> list[dict[str, Any]]:
    """The rows of the records' maps, in the records' order."""
    return [
        {
            "inspection_id": record.id,
            "model_version": storable(one.model_version, _VERSION),
            "score": one.score,
            "border": one.border,
            "height": one.height,
            "width": one.width,
            **dict(zip(("x0", "y0", "x1", "y1"), one.box, strict=True)),
            "places": one.places,
            "created_at": record.decided_at,
        }
        for record in records
        for one in record.maps
    ]


def store_maps(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Add maps; one that is there already stays."""
    if rows:
        statement = insert_many_into(connection, _MAPS).on_conflict_do_nothing()
        connection.execute(statement.returning(_MAPS.c.inspection_id), many(connection, rows))
