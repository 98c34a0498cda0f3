"""How many pictures without a serial number passed of which no row is left."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Engine, func, select

from db.base import table_of
from db.inspections.passed_part import Passed
from db.reports.part_reports import counted
from db.reports.part_reports.filters import PartFilters
from db.reports.part_reports.period import used_period
from db.session import reading
from db.tables import Inspection
from quality.parts.disposition import Disposition

_KINDS = ("model_version", "serialised", "model_disposition")


def purged_pictures(engine: Engine, wanted: Passed) -> int:
    """Those that are counted, less those that are there; of every camera, which counts do not know.

    Of whole slices, so where the range begins or ends within one it is rather too many.
    """
    c = table_of(Inspection).c
    filters = PartFilters(product=wanted.product, line=wanted.line, lot=wanted.lot)
    with reading(engine) as connection:
        period = used_period(
            connection, wanted.since, wanted.until, now=datetime.now(UTC), line=wanted.line
        )
        sums = counted.numbers(connection, filters, period, _KINDS)
        made = sums.get((wanted.version, False, Disposition.CONFORMING), 0)
        where = [c.product == wanted.product, c.model_version == wanted.version]
        where += [c.verdict == "pass", func.coalesce(c.part, "") == ""]
        where += [func.coalesce(c.line, "") == wanted.line] if wanted.line is not None else []
        where += [func.coalesce(c.lot, "") == wanted.lot] if wanted.lot is not None else []
        made_at = func.coalesce(c.made_at, c.captured_at, c.decided_at)
        where += [made_at >= period.since] if period.since is not None else []
        where += [made_at < period.until] if period.until is not None else []
        there = connection.scalar(
            select(func.count()).select_from(table_of(Inspection)).where(*where)
        )
    return max(0, made - int(there or 0))
