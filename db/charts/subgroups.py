"""A chart's subgroups from the counts that every report about parts asks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from sqlalchemy import Connection, select

from db.base import table_of
from db.charts.chart import Chart
from db.reports.part_reports.filters import PartFilters
from db.reports.part_reports.names import refuse_unknown_class
from db.reports.part_reports.part_query import PartQuery
from db.tables import DefectClass
from quality.charts.attribute_charts import Subgroup
from quality.charts.subgroups import TimedSubgroup, instant_name, joined, of_parts
from quality.shifts.shift_calendar import quarter_hour

LOT_OVER_H = 24  # after its last part, a lot gets no other
LOT_OVER = timedelta(hours=LOT_OVER_H)
_LENGTH = {"hour": timedelta(hours=1), "quarter": timedelta(minutes=15)}
_SHIFT = ("plant_day", "shift", "shift_at", "shift_ends_at")


@dataclass(frozen=True, slots=True)
class Subgroups:
    """What was counted.

    Attributes:
        whole: in order of time; each lies in the range and is over.
        left_out: how many do not, or are not yet.
        notes: sentences about the range.
    """

    whole: list[TimedSubgroup]
    left_out: int
    notes: tuple[str, ...]


def subgroups(
    connection: Connection,
    chart: Chart,
    since: datetime | None,
    until: datetime | None,
    *,
    timezone: tzinfo,
    now: datetime,
) -> Subgroups:
    """Count a chart's subgroups; shifts of one name and plant day are one, on all its lines.

    Args:
        since: those that begin then or later; by n: where the first one begins.
        now: those that end after it are not over.

    Raises:
        ReportError: a range in which nothing can be; a name that nothing has.
    """
    counted = _Counted(connection, chart, since, until, timezone)
    if chart.by == "n":
        every = counted.slices("quarter")
        found = of_parts([one for one in every if one.ends <= now], chart.n)
        used = sum(one.counts.all for one in found)
        left = int(used < sum(one.counts.all for one in every))
        return Subgroups(found, left, counted.notes)
    found = {"shift": counted.shifts, "lot": counted.lots}.get(
        chart.by, lambda: counted.slices("hour")
    )()
    last = now if until is None else min(now, until)
    whole = [one for one in found if (since is None or one.starts >= since) and one.ends <= last]
    left = len(found) - len(whole)
    if chart.by == "lot":
        complete = counted.complete_lots(found)
        over = [one for one in whole if one.ends <= now - LOT_OVER and one.name in complete]
        left, whole = left + len(whole) - len(over), over
    return Subgroups(whole, left, counted.notes)


def slices(
    connection: Connection,
    chart: Chart,
    since: datetime | None,
    until: datetime | None,
    *,
    timezone: tzinfo,
) -> list[TimedSubgroup]:
    """A chart's parts by quarter hours, in order of time: what a g chart's gaps are from.

    Raises:
        ReportError: see `subgroups`.
    """
    return _Counted(connection, chart, since, until, timezone).slices("quarter")


def class_has_left(connection: Connection, chart: Chart) -> bool:
    """Whether a chart's class is none of its product's any more."""
    c = table_of(DefectClass).c
    known = set(connection.scalars(select(c.code).where(c.product == chart.product)))
    return bool(chart.class_code and known and chart.class_code not in known)


class _Counted:
    """First passes of a chart's parts in a range."""

    def __init__(
        self,
        connection: Connection,
        chart: Chart,
        since: datetime | None,
        until: datetime | None,
        timezone: tzinfo,
    ) -> None:
        self._connection, self._chart, self._timezone = connection, chart, timezone
        self._filters = PartFilters(since, until, line=chart.line or None, product=chart.product)
        if chart.class_code:
            refuse_unknown_class(connection, chart.class_code, chart.product)
        self.notes: tuple[str, ...] = ()

    def slices(self, name: str) -> list[TimedSubgroup]:
        """By hours or quarter hours."""
        return [
            TimedSubgroup(instant_name(when), when, when + _LENGTH[name], counts)
            for (when,), counts in self._tallies(name)
        ]

    def shifts(self) -> list[TimedSubgroup]:
        """By plant days and names of shifts, in the order in which they begin."""
        found: dict[str, list[TimedSubgroup]] = {}
        for (day, shift, starts, ends), counts in self._tallies(*_SHIFT):
            name = f"{day} {shift}"
            found.setdefault(name, []).append(TimedSubgroup(name, starts, ends, counts))
        return _in_order(found)

    def lots(self) -> list[TimedSubgroup]:
        """By lots that have a name, in the order of their first parts."""
        made = self._query(("lot",)).extents("lot")
        found = []
        for (lot,), counts in self._tallies("lot"):
            if lot:
                first, last = (quarter_hour(at) for at in made[lot])
                found.append(TimedSubgroup(lot, first, last + _LENGTH["quarter"], counts))
        return sorted(found, key=lambda one: (one.starts, one.name))

    def complete_lots(self, found: list[TimedSubgroup]) -> set[str]:
        """Those lots that have no part outside the range."""
        filters = PartFilters(line=self._filters.line, product=self._filters.product)
        query = PartQuery.of(self._connection, filters, ("lot",), self._timezone, ("lot",))
        every = {group["lot"]: tally.parts for group, tally in query.tallies()}
        return {one.name for one in found if one.counts.all == every.get(one.name)}

    def _query(self, by: tuple[str, ...]) -> PartQuery:
        return PartQuery.of(self._connection, self._filters, by, self._timezone, by)

    def _tallies(self, *by: str) -> Iterator[tuple[tuple[Any, ...], Subgroup]]:
        query = self._query(by)
        self.notes = query.report("", "", ()).notes
        code = self._chart.class_code
        of_class: dict[tuple[Any, ...], int] = {}
        if code:
            for group, parts in query.combinations():
                with_it = sum(n for classes, n in parts.items() if code in classes)
                of_class[tuple(group.values())] = with_it
        for group, tally in query.tallies():
            key = tuple(group.values())
            bad = of_class.get(key, 0) if code else tally.nonconforming
            if tally.parts:
                yield key, Subgroup(tally.decided, bad, tally.open)


def _in_order(found: dict[str, list[TimedSubgroup]]) -> list[TimedSubgroup]:
    every = (joined(name, members) for name, members in found.items())
    return sorted(every, key=lambda one: (one.starts, one.name))
