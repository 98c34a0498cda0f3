"""How far the inspections of before there were parts are counted; see `db.parts.backfill`."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection, select

from db.base import table_of
from db.tables import PartBackfill

NOTHING, EVERYTHING = UUID(int=0), UUID(int=2**128 - 1)
_TABLE = table_of(PartBackfill)


def backfilled_until(connection: Connection) -> UUID:
    """The last id that is counted, in their order."""
    query = select(_TABLE.c.until, _TABLE.c.finished_at).where(_TABLE.c.name == "parts")
    mark = connection.execute(query).one_or_none()
    if mark is None or mark.finished_at is not None:
        return EVERYTHING
    return mark.until or NOTHING
