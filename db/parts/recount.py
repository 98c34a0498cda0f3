"""Proves that parts and their counts are what the facts say, and mends them where they are not.

Facts come first: every serial number is settled again as a worker or a person would settle it, with
the same locks, so nobody has to stop. Then counts by slice are held against the parts, and shifts
against their slices. What cannot be proven, because pictures are gone, is named and left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Engine, select, text

from db.base import table_of
from db.calendars.spans import lock_spans
from db.inspections.rolled_up import roll_hours, wrong_hours
from db.parts.labelled import keep_labelled, wrong_labelled
from db.parts.recount_here import RecountHere
from db.parts.settle import parts_of
from db.session import reading, transaction
from db.tables import Part
from quality.shifts.shift_calendar import quarter_hour

_BATCH = 500  # serial numbers a transaction: workers with one of them wait so long
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_UNPROVEN = text("SELECT product, serial FROM linewatch_unproven(:since, :until)")
_RESETTLE = text(
    "SELECT changed, lost, lost_days FROM linewatch_resettle(CAST(:products AS text[]),"
    " CAST(:serials AS text[]), CAST(:pictures AS uuid[]))"
)
_RECOUNT = text(
    "SELECT state, plant_day, line, product, counted, found"
    " FROM linewatch_recount(:since, :until, :everything, :mend)"
)


class Difference(NamedTuple):
    """A day of a line and product on which counts are not what was found.

    Attributes:
        state: 'slices' or 'shifts' are wrong; 'skipped': pictures of then may be purged, so that
            nobody can say.
    """

    state: str
    plant_day: date
    line: str
    product: str
    counted: int
    found: int


@dataclass(slots=True)
class Recounted:
    """What was found.

    Attributes:
        parts: rows of parts that are not what the facts say.
        lost: serial numbers with fewer pictures than their row says, left as they are.
        lost_days: the plant days of these.
        labelled: labelled pictures whose rows for reports are not what labels and verdicts say.
        hours: rows of summed-up hours of pictures that are not the sum of what was counted.
    """

    parts: int = 0
    lost: int = 0
    lost_days: set[date] = field(default_factory=set)
    counts: list[Difference] = field(default_factory=list)
    labelled: int = 0
    hours: int = 0

    @property
    def wrong(self) -> list[Difference]:
        """Counts that are wrong."""
        return [one for one in self.counts if one.state != "skipped"]

    @property
    def skipped(self) -> list[Difference]:
        """Counts that cannot be proven."""
        return [one for one in self.counts if one.state == "skipped"]

    @property
    def right(self) -> bool:
        """Whether nothing is wrong; what cannot be proven may be."""
        return not (self.parts or self.wrong or self.labelled or self.hours)


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
    found = Recounted()
    for serials, pictures in _batches(engine, begins, ends):
        with transaction(engine) as connection, connection.begin_nested() as savepoint:
            _resettle(connection, serials, pictures, found)
            if not mend:
                savepoint.rollback()
    with transaction(engine) as connection:
        lock_spans(connection)  # one recount at a time, or both add the same difference
        if connection.dialect.name == "postgresql":
            times = {"since": begins, "until": ends, "everything": since is not None}
            rows = connection.execute(_RECOUNT, {**times, "mend": mend})
            found.counts = [Difference(*row) for row in rows]
        else:
            here = RecountHere(connection, begins, ends, everything=since is not None)
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
            _resettle(connection, *parts_of(connection, batch), Recounted())
            keep_labelled(connection, batch)
    if mend and found.hours:
        roll_hours(engine, again=True)


def _resettle(
    connection: Connection,
    serials: Sequence[tuple[str, str]],
    pictures: Sequence[UUID],
    found: Recounted,
) -> None:
    if connection.dialect.name == "postgresql":
        words = {"products": [one[0] for one in serials], "serials": [one[1] for one in serials]}
        row = connection.execute(_RESETTLE, {**words, "pictures": list(pictures)}).one()
        changed, lost, days = row.changed, row.lost, row.lost_days
    else:
        changed, lost, days = RecountHere.resettle(connection, serials, pictures)
    found.parts += changed
    found.lost += lost
    found.lost_days |= set(days or ())


def _batches(
    engine: Engine, since: datetime, until: datetime
) -> Iterator[tuple[Sequence[tuple[str, str]], Sequence[UUID]]]:
    """What is to be settled again: serial numbers, then pictures without one that have a row."""
    c = table_of(Part).c
    times = {"since": since, "until": until}
    with reading(engine) as connection:
        if connection.dialect.name == "postgresql":
            serials = [(row.product, row.serial) for row in connection.execute(_UNPROVEN, times)]
        else:
            serials = RecountHere.serials(connection, since, until)
    with reading(engine) as connection:
        rows = connection.execute(
            select(c.scope).where(c.serial == "", c.made_at >= since, c.made_at < until)
        )
        pictures = [UUID(scope) for scope in rows.scalars()]
    for start in range(0, len(serials), _BATCH):
        yield serials[start : start + _BATCH], ()
    for start in range(0, len(pictures), _BATCH):
        yield (), pictures[start : start + _BATCH]
