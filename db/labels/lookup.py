"""Finding a picture by what a person knows of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal
from uuid import UUID

from sqlalchemy import Engine, select

from db.base import table_of
from db.inspections.by_file import of_files
from db.session import reading
from db.tables import Inspection, Part, Product

Known = Literal["part", "image_uri", "image_sha256"]
_CHUNK = 500  # SQLite binds at most a few thousand values a statement


def newest_by(
    engine: Engine, known: Known, values: Sequence[str], product: str | None = None
) -> dict[str, UUID]:
    """The newest inspection for each of `values` in the column `known`; unknown ones are absent.

    `product` leaves out the pictures of others.
    """
    table = table_of(Inspection)
    column = table.c[known]
    found: dict[str, UUID] = {}
    with reading(engine) as connection:
        for chunk in _chunks(list(dict.fromkeys(values))):
            mine = column.in_(chunk) if known == "part" else of_files(connection, known, chunk)
            query = select(column, table.c.id).where(mine)
            if product is not None:
                query = query.where(table.c.product == product)
            rows = connection.execute(query.order_by(table.c.decided_at, table.c.id))
            found.update((value, id_) for value, id_ in rows)  # the newest comes last
    return found


def pictures_of_parts(engine: Engine, parts: Sequence[str]) -> dict[str, dict[str, list[UUID]]]:
    """Every picture of each part, oldest first, by part and product.

    A part's name is its product's own: two products may have parts of one name.
    """
    c = table_of(Inspection).c
    found: dict[str, dict[str, list[UUID]]] = {}
    with reading(engine) as connection:
        for chunk in _chunks(list(dict.fromkeys(parts))):
            query = select(c.part, c.product, c.id)
            query = query.where(c.part.in_(chunk), c.product.is_not(None))
            for part, product, id_ in connection.execute(query.order_by(c.decided_at, c.id)):
                found.setdefault(part, {}).setdefault(product, []).append(id_)
    return found


def counted_parts(engine: Engine, parts: Sequence[str]) -> dict[str, list[str]]:
    """The products that have a part of each name, also where its pictures are purged."""
    c = table_of(Part).c
    found: dict[str, list[str]] = {}
    with reading(engine) as connection:
        products = connection.scalars(select(table_of(Product).c.code)).all()
        for chunk in _chunks(list(dict.fromkeys(parts))):
            query = select(c.serial, c.product).distinct()
            query = query.where(c.product.in_(products), c.serial.in_(chunk), c.serial != "")
            for part, product in connection.execute(query.where(c.counted)):
                found.setdefault(part, []).append(product)
    return found


def parts_beside(engine: Engine, part: str, *, each: int = 10) -> list[str]:
    """Known parts whose names sort next to this one: what it may be a slip of."""
    column = table_of(Inspection).c.part
    with reading(engine) as connection:
        before = select(column).where(column < part).distinct().order_by(column.desc())
        after = select(column).where(column > part).distinct().order_by(column)
        return [
            name
            for query in (before, after)
            for name in connection.execute(query.limit(each)).scalars()
        ]


def _chunks(values: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
