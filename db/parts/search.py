"""Finding parts by the beginning of their serial numbers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, select

from db.base import table_of
from db.storable_text import SERIAL, storable
from db.tables import Part

_P = table_of(Part).c
_LOOKED_AT = 400  # of each product, from the beginning on: what sorts there and begins otherwise


class Found(NamedTuple):
    """A pass of a part."""

    product: str
    serial: str
    scope: str
    pass_number: int
    line: str
    lot: str
    disposition: str
    classes: str
    decided_by: str
    made_at: datetime | None


def beginning_with(
    connection: Connection, products: Sequence[str], beginning: str, limit: int = 100
) -> list[Found]:
    """Passes of parts whose serial number begins so, in the order in which the database sorts.

    Args:
        connection: reads.
        products: to look in.
        beginning: of the serial number, as it is written.
        limit: how many at most.
    """
    wanted = str(storable(beginning, SERIAL))
    found: list[Found] = []
    if not wanted:
        return found
    columns = [_P[name] for name in Found._fields]
    for product in products:
        # A range of the key; who sorts by a language may sort others in between, so each is asked.
        query = select(*columns).where(_P.product == product, _P.serial >= wanted, _P.counted)
        query = query.order_by(_P.serial, _P.scope, _P.pass_number).limit(_LOOKED_AT)
        rows = (Found(*row) for row in connection.execute(query))
        found += [row for row in rows if row.serial.startswith(wanted)]
    return found[:limit]
