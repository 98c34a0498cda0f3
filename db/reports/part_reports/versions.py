"""Which model versions decided, when, and what the rate was under each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from sqlalchemy import Engine

from db.models.versions import versions as known_versions
from db.reports.part_reports.filters import PartFilters
from db.reports.part_reports.part_query import PartQuery
from db.reports.report import Report, Row
from db.session import reading
from quality.parts.tally import PartTally

BY = ("product", "model_version", "day")


def versions(engine: Engine, filters: PartFilters, by: Sequence[str], timezone: tzinfo) -> Report:
    """Parts by product, model version and whatever else, in that order.

    A version is the one of a part's pass. '' are parts on which no model had a word. A rate says as
    much of the parts that were made under a version as of the version itself: to compare two on the
    same pictures, see `linewatch models compare`. Beside it stands what the version promises.

    Args:
        engine: the database.
        filters: which parts.
        by: more groups; none: `BY`.
        timezone: the plant's.

    Raises:
        ReportError: a group, a name or a range that there cannot be.
    """
    groups = (*BY[:2], *by) if by else BY
    promises = {info.version: info.promise for info in known_versions(engine)}
    with reading(engine) as connection:
        query = PartQuery.of(connection, filters, groups, timezone)
        found = query.tallies()
    rows: list[Row] = [
        {**group, **_cells(tally), "promise": promises.get(str(group["model_version"]))}
        for group, tally in found
    ]
    blank = {**_cells(PartTally()), "promise": ""}
    return query.report("versions", "Model versions over time", rows, blank=blank)


def _cells(tally: PartTally) -> Row:
    rate_low, rate_high = tally.interval or (None, None)
    return {
        "parts": tally.parts,
        "conforming": tally.conforming,
        "nonconforming": tally.nonconforming,
        "open": tally.open,
        "open_share": tally.open / tally.parts if tally.parts else None,
        "by_person": tally.by_person,
        "rate": tally.rate,
        "rate_low": rate_low,
        "rate_high": rate_high,
    }
