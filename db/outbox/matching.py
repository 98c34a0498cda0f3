"""Rows with one of many values, by words that neither driver nor planner stumbles over.

PostgreSQL is given arrays: with a parameter for each value, the driver takes longer to write the
statement than the server to answer it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Text,
    any_,
    func,
    literal,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

from db.parts.pairs import of_serials

_CHUNK = 500  # SQLite binds a few thousand values a statement


def rows_of_pairs(
    connection: Connection,
    columns: Sequence[Any],
    pair: tuple[Any, Any],
    where: Sequence[ColumnElement[bool]],
    wanted: Collection[tuple[str, str]],
) -> Iterator[Row[Any]]:
    """The rows, in no order, whose pair of columns is one of these: product and serial number.

    On PostgreSQL each pair is looked up in an index, by a subquery with OFFSET 0: plans that are
    made while the tables are small, and kept, would go through all of a receiver's rows.
    """
    product, serial = pair
    for some in _chunks(sorted(wanted)):
        if connection.dialect.name != "postgresql":
            query = select(*columns).where(*where, of_serials(product, serial, some))
        else:
            words = (literal([one[place] for one in some], ARRAY(Text)) for place in (0, 1))
            given = func.unnest(*words).table_valued("product", "serial")
            given = given.render_derived(name="wanted")
            match = (product == given.c.product, serial == given.c.serial)
            found = select(*columns).where(*where, *match).offset(literal_column("0"))
            rows = found.lateral("found")
            query = select(rows).select_from(given.join(rows, true()))
        yield from connection.execute(query)


def rows_of_values(
    connection: Connection,
    query: Select[Any],
    column: Any,
    values: Collection[Any],
    kind: TypeEngine[Any],
) -> Iterator[Row[Any]]:
    """The rows of a query in which a column has one of these values, which are of this type."""
    for some in _chunks(sorted(values)):
        if connection.dialect.name == "postgresql":
            found: ColumnElement[bool] = column == any_(literal(list(some), ARRAY(kind)))
        else:
            found = column.in_(some)
        yield from connection.execute(query.where(found))


def _chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """What one statement may be given."""
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
