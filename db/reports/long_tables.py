"""Tables by the hour of a year: nobody reads 8,760 rows, and a file can have them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, func, select

from db.base import table_of
from db.session import reading
from db.tables import InspectionHourly, PartCount
from linewatch.errors import ReportError

MOST_STEPS = 672  # rows of time in a table for people: four weeks of hours, one of quarter hours
_STEPS = {"hour": timedelta(hours=1), "quarter": timedelta(minutes=15)}


def refuse_long_table(
    engine: Engine,
    by: Collection[str] | str | None,
    since: datetime | None,
    until: datetime | None,
    *,
    of_pictures: bool,
) -> None:
    """Refuse a table of more hours or quarter hours than a person reads.

    Args:
        engine: asked for the first hour that is counted, where `since` does not say.
        by: what is grouped by.
        since: None: from the first that is counted.
        until: None: up to now.
        of_pictures: else of parts.

    Raises:
        ReportError: says what to do.
    """
    fine = [name for name in _STEPS if by and name in by]
    if not fine:
        return
    first = since or _first(engine, of_pictures=of_pictures)
    last = until or datetime.now(UTC)
    step = fine[-1]
    steps = 0 if first is None else (last - first) // _STEPS[step]
    if steps > MOST_STEPS:
        days = MOST_STEPS * _STEPS[step] // timedelta(days=1)
        raise ReportError(
            f"by {step}, this range is {steps:,} rows or more: too many to read. Narrow it with "
            f"--since and --until to {days} days, group by day, or write all of them: "
            "--format csv, --format json or --out FILE"
        )


def _first(engine: Engine, *, of_pictures: bool) -> datetime | None:
    """When the first hour or slice that is counted began, with which either table's key begins."""
    table = table_of(InspectionHourly if of_pictures else PartCount)
    column: Any = table.c.hour if of_pictures else table.c.slice_at
    with reading(engine) as connection:
        found: datetime | None = connection.scalar(select(func.min(column)))
    return found
