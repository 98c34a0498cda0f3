"""Rows of many serial numbers, each of a product: by words that an index understands."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, tuple_


def of_serials(
    product: ColumnElement[str], serial: ColumnElement[str], wanted: Sequence[tuple[str, str]]
) -> ColumnElement[bool]:
    """Whether a row is of one of these pairs of product and serial number.

    SQLite looks up single values in an index; for pairs alone it goes through the whole table.
    """
    return and_(
        product.in_(sorted({one[0] for one in wanted})),
        serial.in_(sorted({one[1] for one in wanted})),
        tuple_(product, serial).in_([tuple(one) for one in wanted]),
    )
