"""What a report about parts is asked: filters, groups and a range, checked, on one connection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

from sqlalchemy import Connection

from db.reports.part_reports import counted
from db.reports.part_reports.extents import extents
from db.reports.part_reports.filters import GROUPS, PartFilters, checked_groups
from db.reports.part_reports.names import refuse_unknown
from db.reports.part_reports.past import notes_on_past
from db.reports.part_reports.period import Period, used_period
from db.reports.part_reports.times import Clock
from db.reports.report import EMPTY, Report, Row
from quality.parts.tally import PartTally

_NO_TIME = datetime.min.replace(tzinfo=UTC)
_BLANK: Row = {"quarter": _NO_TIME, "hour": _NO_TIME, "day": _NO_TIME.date()}  # others are texts


@dataclass(frozen=True, slots=True)
class PartQuery:
    """Which parts, in which groups; `by` is checked and `period` is the range really counted."""

    connection: Connection
    filters: PartFilters
    by: tuple[str, ...]
    period: Period
    clock: Clock
    past: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        connection: Connection,
        filters: PartFilters,
        by: Sequence[str],
        timezone: tzinfo,
        choices: Sequence[str] = GROUPS,
    ) -> PartQuery:
        """Check what is asked.

        Args:
            choices: what can be grouped by.

        Raises:
            ReportError: a group that is no choice; a range that is backwards or in the future.
        """
        groups = checked_groups(by, choices)
        clock = Clock(timezone, connection.dialect.name)
        return _narrowed(cls(connection, filters, groups, Period(), clock), filters)

    def within(self, since: datetime, until: datetime) -> PartQuery:
        """The same of another range.

        Raises:
            ReportError: it is backwards or in the future.
        """
        return _narrowed(self, replace(self.filters, since=since, until=until))

    def tallies(self) -> list[tuple[Row, PartTally]]:
        """Each group's columns and how its parts ended, in order; one without `by`.

        Raises:
            ReportError: there is no part, and a filter names what does not exist.
        """
        found = counted.tallies(self.connection, self.filters, self.period, self.by, self.clock)
        if not any(tally.parts or tally.reinspections for tally in found.values()):
            refuse_unknown(self.connection, self.filters)
        return [(group, found[key]) for key, group in self._groups(found)]

    def combinations(self) -> list[tuple[Row, dict[tuple[str, ...], int]]]:
        """Each group's columns and its nonconforming parts by the classes on them, in order.

        Raises:
            ReportError: see `tallies`.
        """
        found = counted.combinations(
            self.connection, self.filters, self.period, self.by, self.clock
        )
        if not found:
            refuse_unknown(self.connection, self.filters)
        return [(group, found[key]) for key, group in self._groups(found)]

    def extents(self, name: str) -> dict[str, tuple[datetime, datetime]]:
        """The slices of each group's first and last part, re-inspections aside, of any time."""
        return extents(self.connection, self.filters, name)

    def report(
        self,
        name: str,
        title: str,
        rows: Sequence[Row],
        *notes: str,
        blank: Row | None = None,
        empty: str = EMPTY,
    ) -> Report:
        """What was found, with the range that was counted.

        Args:
            blank: what a row has after its groups, of no parts.
        """
        timezone = self.clock.timezone
        since, until = self.period.local(timezone)
        notes = (*self.period.notes(timezone), *notes, *self.past)
        groups: Row = {name: _BLANK.get(name, "") for name in self.by}
        blank = {**groups, **(blank or {})}
        return Report(name, title, tuple(rows), since, until, notes, empty, blank)

    def _groups(self, keys: Iterable[counted.Key]) -> Iterator[tuple[counted.Key, Row]]:
        shows = [(name, self.clock.shown(name)) for name in self.by]
        for key in keys:
            pairs = zip(shows, key, strict=True)
            yield key, {name: show(value) for (name, show), value in pairs}


def _narrowed(query: PartQuery, filters: PartFilters) -> PartQuery:
    """The same query of other filters, with the range that they come to."""
    period = used_period(
        query.connection,
        filters.since,
        filters.until,
        now=datetime.now(UTC),
        line=filters.names().get("line"),
    )
    clock = replace(query.clock, since=period.since, until=period.until)
    past = notes_on_past(query.connection, query.clock.timezone, period.since)
    return replace(query, filters=filters, period=period, clock=clock, past=past)
