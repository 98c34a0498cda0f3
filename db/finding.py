"""Finding a picture by what a person knows of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal
from uuid import UUID

from sqlalchemy import Engine, select

from db.base import table_of
from db.session import reading
from db.tables import Inspection

Known = Literal["part", "image_uri", "image_sha256"]
_CHUNK = 500  # SQLite binds at most a few thousand values a statement


def newest_by(engine: Engine, known: Known, values: Sequence[str]) -> dict[str, UUID]:
    """The newest inspection for each of `values` in the column `known`; unknown ones are absent."""
    table = table_of(Inspection)
    column = table.c[known]
    found: dict[str, UUID] = {}
    with reading(engine) as connection:
        for chunk in _chunks(list(dict.fromkeys(values))):
            query = select(column, table.c.id).where(column.in_(chunk))
            rows = connection.execute(query.order_by(table.c.decided_at, table.c.id))
            found.update((value, id_) for value, id_ in rows)  # the newest comes last
    return found


def _chunks(values: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
