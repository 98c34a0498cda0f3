"""How many parts were good, bad or open, and the first-pass yield."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from sqlalchemy import Engine

from db.reports.part_reports.filters import PartFilters
from db.reports.part_reports.part_query import PartQuery
from db.reports.report import Report, Row
from db.session import reading
from quality.parts.tally import PartTally


def defect_rate(
    engine: Engine, filters: PartFilters, by: Sequence[str], timezone: tzinfo
) -> Report:
    """Parts by disposition and who decided, the defect rate, its interval and its band.

    Args:
        by: `filters.GROUPS`, in any order; none: one row.
        timezone: the plant's.

    Raises:
        ReportError: a group, a name or a range that there cannot be.
    """
    with reading(engine) as connection:
        query = PartQuery.of(connection, filters, by, timezone)
        found = query.tallies()
    rows = [{**group, **rate_cells(tally)} for group, tally in found]
    blank = rate_cells(PartTally())
    return query.report("defect-rate", "Defect rate by parts", rows, blank=blank)


def first_pass(engine: Engine, filters: PartFilters, by: Sequence[str], timezone: tzinfo) -> Report:
    """The same, with the first-pass yield and the nonconforming parts per million.

    Raises:
        ReportError: see `defect_rate`.
    """
    with reading(engine) as connection:
        query = PartQuery.of(connection, filters, by, timezone)
        found = query.tallies()
    rows = [{**group, **_first_pass(tally)} for group, tally in found]
    blank = _first_pass(PartTally())
    return query.report("first-pass", "First-pass yield", rows, blank=blank)


def _first_pass(tally: PartTally) -> Row:
    return {**rate_cells(tally), **yield_cells(tally)}


def rate_cells(tally: PartTally) -> Row:
    """A tally as columns; rates are None where nothing is decided."""
    rate_low, rate_high = tally.interval or (None, None)
    band_low, band_high = tally.band or (None, None)
    return {
        "parts": tally.parts,
        "conforming": tally.conforming,
        "nonconforming": tally.nonconforming,
        "open": tally.open,
        "by_model": tally.by_model,
        "by_person": tally.by_person,
        "rate": tally.rate,
        "rate_low": rate_low,
        "rate_high": rate_high,
        "band_low": band_low,
        "band_high": band_high,
        "reinspections": tally.reinspections,
        "unserialised": tally.unserialised,
        "by_receipt": tally.by_receipt,
    }


def yield_cells(tally: PartTally) -> Row:
    """The first-pass yield as columns."""
    return {
        "first_pass_yield": tally.first_pass_yield,
        "fpy_low": tally.first_pass_yield,
        "fpy_high": tally.first_pass_yield_at_best,
        "ppm": tally.ppm,
    }
