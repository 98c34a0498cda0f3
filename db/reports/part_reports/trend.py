"""A period's defect rate beside that of the period before, of equal length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo

from sqlalchemy import Engine

from db.reports.part_reports.filters import NAMES, PartFilters
from db.reports.part_reports.part_query import PartQuery
from db.reports.report import Report, Row, shown_range
from db.session import reading
from linewatch.errors import ReportError
from quality.intervals.rate_difference import rate_difference
from quality.parts.tally import PartTally

Tallies = Sequence[tuple[Row, PartTally]]


def trend(engine: Engine, filters: PartFilters, by: Sequence[str], timezone: tzinfo) -> Report:
    """Each group's rate now and before, and the difference with its interval.

    Args:
        filters: `since` is needed; without `until` it is now.
        by: names only; times are what is compared.

    Raises:
        ReportError: a group, a name or a range that there cannot be; no `since`.
    """
    if filters.since is None:
        raise ReportError("a trend compares a period with the one before: say since when")
    filters = replace(filters, until=filters.until or datetime.now(UTC))
    with reading(engine) as connection:
        query = PartQuery.of(connection, filters, by, timezone, NAMES)
        period = query.period
        assert period.since is not None
        assert period.until is not None
        earlier = query.within(period.since - (period.until - period.since), period.since)
        now, before = query.tallies(), earlier.tallies()
    rows = _compared(query.by, now, before)
    compared = shown_range(*earlier.period.local(timezone))
    said = f"compared with {compared}"
    blank = _cells(PartTally(), PartTally())
    return query.report("trend", "Trend of the defect rate", rows, said, blank=blank)


def _compared(by: Sequence[str], now_: Tallies, before_: Tallies) -> list[Row]:
    """Groups of either period; what one of them has not is none there."""
    now = {tuple(group.values()): tally for group, tally in now_}
    before = {tuple(group.values()): tally for group, tally in before_}
    keys = sorted(now.keys() | before.keys())
    return [
        {
            **dict(zip(by, key, strict=True)),
            **_cells(now.get(key, PartTally()), before.get(key, PartTally())),
        }
        for key in keys
    ]


def _cells(now: PartTally, before: PartTally) -> Row:
    low, high = now.interval or (None, None)
    difference = rate_difference(
        now.nonconforming, now.decided, before.nonconforming, before.decided
    )
    change, change_low, change_high = difference or (None, None, None)
    return {
        "parts": now.parts,
        "nonconforming": now.nonconforming,
        "open": now.open,
        "rate": now.rate,
        "rate_low": low,
        "rate_high": high,
        "before_parts": before.parts,
        "before_nonconforming": before.nonconforming,
        "before_open": before.open,
        "before_rate": before.rate,
        "difference": change,
        "difference_low": change_low,
        "difference_high": change_high,
    }
