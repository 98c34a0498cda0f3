"""Proves that parts and their counts are what the facts say, and mends them where they are not.

Facts come first: every serial number is settled again as a worker or a person would settle it, with
the same locks, so nobody has to stop. Then counts by slice are held against the parts, and shifts
against their slices. What cannot be proven, because pictures are gone, is named and left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import Connection, Engine, select

from db.base import table_of
from db.inspections.rolled_up import roll_hours, wrong_hours
from db.parts import recount_there, resettle_here
from db.parts.labelled import keep_labelled, wrong_labelled
from db.parts.recount_here import RecountHere
from db.parts.recounted import Difference, Recounted, Settled
from db.parts.settle import parts_of
from db.session import reading, transaction
from db.tables import Part
from quality.shifts.shift_calendar import quarter_hour

_BATCH = 500  # serial numbers a transaction: workers with one of them wait so long
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_Batch = tuple[Sequence[tuple[str, str]], Sequence[UUID]]  # serial numbers; pictures without one


def recount(
    engine: Engine,
    since: datetime | None = None,
    until: datetime | None = None,
    *,
    mend: bool,
) -> Recounted:
    """Count again what was made within a time, and mend it if asked to.

    Args:
        engine: the database, as its owner or maintenance.
        since: None: all that is counted. Counts that a purge took are made again from a time that
            is given.
        until: None: up to now.
        mend: otherwise nothing is changed.
    """
    begins = quarter_hour(since) if since else _EARLIEST
    ends = quarter_hour(until + timedelta(minutes=15, microseconds=-1)) if until else _LATEST
    found, everything = Recounted(), since is not None
    there = engine.dialect.name == "postgresql"
    batches = _batches(engine, begins, ends)
    again = partial(_settle_again, engine, mend=mend)
    for settled in recount_there.at_once(again, batches) if there else map(again, batches):
        found.add(settled)
    if there:
        found.counts = recount_there.counts(engine, begins, ends, everything=everything, mend=mend)
    else:
        with transaction(engine) as connection:
            here = RecountHere(connection, begins, ends, everything=everything)
            found.counts = [Difference(*row) for row in here.counts(mend)]
    _copies(engine, found, mend=mend)
    return found


def _copies(engine: Engine, found: Recounted, *, mend: bool) -> None:
    """What reports read in the place of what it was made from, of whatever time."""
    with reading(engine) as connection:
        labelled, found.hours = wrong_labelled(connection), wrong_hours(connection)
    found.labelled = len(labelled)
    ids = sorted(labelled)
    for start in range(0, len(ids) if mend else 0, _BATCH):
        batch = ids[start : start + _BATCH]
        with transaction(engine) as connection:
            # Whoever labels one of them meanwhile is waited for at its part.
            _resettle(connection, *parts_of(connection, batch))
            keep_labelled(connection, batch)
    if mend and found.hours:
        roll_hours(engine, again=True)


def _settle_again(engine: Engine, batch: _Batch, *, mend: bool) -> Settled:
    with transaction(engine) as connection, connection.begin_nested() as savepoint:
        settled = _resettle(connection, *batch)
        if not mend:
            savepoint.rollback()
    return settled


def _resettle(
    connection: Connection, serials: Sequence[tuple[str, str]], pictures: Sequence[UUID]
) -> Settled:
    if connection.dialect.name == "postgresql":
        return recount_there.resettle(connection, serials, pictures)
    return resettle_here.resettle(connection, serials, pictures)


def _batches(engine: Engine, since: datetime, until: datetime) -> Iterator[_Batch]:
    """What is to be settled again: serial numbers, then pictures without one that have a row."""
    c = table_of(Part).c
    if engine.dialect.name == "postgresql":
        serials = recount_there.unproven(engine, since, until)
    else:
        with reading(engine) as connection:
            serials = resettle_here.serials_made(connection, since, until)
    with reading(engine) as connection:
        rows = connection.execute(
            select(c.scope).where(c.serial == "", c.made_at >= since, c.made_at < until)
        )
        pictures = [UUID(scope) for scope in rows.scalars()]
    for start in range(0, len(serials), _BATCH):
        yield serials[start : start + _BATCH], ()
    for start in range(0, len(pictures), _BATCH):
        yield (), pictures[start : start + _BATCH]
