"""`linewatch report`: model versions, rejected pictures, flow and backlog."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from linewatch.commands._report_options import database, instants, only, period, shown

if TYPE_CHECKING:
    from db.reports.report import Report

_TIMES = ["line", "lot", "work-order", "shift", "quarter", "hour", "day", "week", "month"]
_DAY = timedelta(days=1)


@click.command()
@click.option(
    "--by",
    type=click.Choice(_TIMES),
    multiple=True,
    help="Beside product and version group by this; can be repeated.  [default: day]",
)
@period
@only("product", "line", "lot", "work_order", "shift")
@shown
def versions(by: tuple[str, ...], since: str | None, until: str | None, **names: Any) -> Report:
    """Parts by the model version that judged them, day by day: rate, and share still open."""
    from db.reports.part_reports.filters import PartFilters
    from db.reports.part_reports.versions import versions as report

    engine, timezone = database()
    begins, ends = instants(since, until)
    filters = PartFilters(begins, ends, **names)
    return report(engine, filters, [name.replace("-", "_") for name in by], timezone)


@click.command()
@period
@only("product", "line", "camera")
@shown
def rejected(since: str | None, until: str | None, **names: Any) -> Report:
    """Pictures that could not be judged, by camera and reason."""
    from db.reports.picture_range import PictureRange
    from db.reports.rejected import rejected as report

    engine, timezone = database()
    begins, ends = instants(since, until)
    return report(engine, PictureRange(begins, ends, **names), timezone)


@click.command()
@period
@only("product", "line", "camera")
@shown
def flow(since: str | None, until: str | None, **names: Any) -> Report:
    """Takt, queue and latency by line: 50th, 95th and 99th percentile, in seconds.

    latency is from capture to verdict, queue from the queue to the verdict. Without --since of 24
    hours up to --until.
    """
    from db.reports.flow import flow as report
    from db.reports.picture_range import PictureRange

    engine, timezone = database()
    begins, ends = instants(since, until)
    begins = begins or (ends or datetime.now(UTC)) - _DAY
    return report(engine, PictureRange(begins, ends, **names), timezone)


@click.command()
@only("product", "line", "lot", "work_order")
@shown
def backlog(**names: Any) -> Report:
    """Parts that are open now, by line, product and why, and how old the oldest is."""
    from db.reports.backlog import backlog as report
    from db.reports.part_reports.filters import PartFilters

    engine, timezone = database()
    return report(engine, PartFilters(**names), timezone)
