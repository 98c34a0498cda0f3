"""Inspections of before there were parts become parts: in batches, while workers run.

They are the rows without `made_at`, and there will be no more of them, so each batch goes on where
the last one ended, in order of ids. A batch and its mark are one transaction: whatever ends it,
nothing is counted twice. Their production time is found as for new ones, with the verdict's time
in the place of the receipt.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, Engine, select, text, update

from db.base import table_of
from db.clock import database_now
from db.parts.backfill_mark import EVERYTHING, backfilled_until
from db.parts.settle import count_pictures, parts_of, settle, with_rows
from db.session import reading, transaction
from db.tables import Inspection, PartBackfill

BATCH = 5000
_TABLE = table_of(PartBackfill)
_MARK = _TABLE.c.name == "parts"
_IN_THE_SERVER = text("SELECT linewatch_backfill(:batch)")


def pending(engine: Engine) -> bool:
    """Whether inspections may be left that are not counted as parts."""
    with reading(engine) as connection:
        query = select(_TABLE.c.name).where(_MARK, _TABLE.c.finished_at.is_(None))
        return connection.execute(query).first() is not None


def backfill(engine: Engine, batch: int = BATCH) -> Iterator[int]:
    """Count what is left, a batch a transaction; yields how many inspections each had."""
    counted = batch
    while counted:
        with transaction(engine) as connection:
            counted = _next(connection, batch)
        if counted:
            yield counted


def _next(connection: Connection, batch: int) -> int:
    if connection.dialect.name == "postgresql":
        return int(connection.scalar(_IN_THE_SERVER, {"batch": batch}) or 0)
    mark = backfilled_until(connection)
    if mark == EVERYTHING:
        return 0
    c = table_of(Inspection).c
    query = select(c.id).where(c.made_at.is_(None), c.id > mark)
    ids = list(connection.execute(query.order_by(c.id).limit(batch)).scalars())
    if not ids:
        connection.execute(update(_TABLE).where(_MARK).values(finished_at=database_now(connection)))
        return 0
    serials, single = parts_of(connection, ids)
    settle(connection, serials)
    known = with_rows(connection, single)  # labelled, or sent again, meanwhile: they are counted
    count_pictures(connection, [id_ for id_ in single if id_ not in known])
    connection.execute(update(_TABLE).where(_MARK).values(until=ids[-1]))
    return len(ids)
