"""Every report as a plant asks for it, by name and range."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import Engine

from db.charts.chart import Chart
from db.charts.view import chart_view
from db.reports.backlog import backlog
from db.reports.flow import flow
from db.reports.groups import Filters
from db.reports.label_progress import Wanted, label_progress
from db.reports.label_verdict import label_verdict
from db.reports.part_reports.defect_rate import defect_rate, first_pass
from db.reports.part_reports.filters import PartFilters
from db.reports.part_reports.lot import lot_release
from db.reports.part_reports.pareto import pareto
from db.reports.part_reports.trend import trend
from db.reports.part_reports.versions import versions
from db.reports.picture_range import PictureRange
from db.reports.pictures import model, picture_rates
from db.reports.rejected import rejected

_SHIFT, _WEEK = timedelta(hours=8), timedelta(days=7)
_FINE = ("1 shift", "1 week", "4 weeks")  # which are shown by the hour; of longer ones files are
CHART = "chart"
_WANTED = Wanted(pictures=5, labels=50)


@dataclass(frozen=True, slots=True)
class Call:
    """A report over one range (`span`), grouped `by` these columns."""

    report: str
    by: str
    span: str
    run: Callable[[], object]


def spans(until: datetime) -> dict[str, datetime | None]:
    """Since when each range is, up to `until`; None: all."""
    return {
        "1 shift": until - _SHIFT,
        "1 week": until - _WEEK,
        "4 weeks": until - 4 * _WEEK,
        "10 weeks": until - 10 * _WEEK,
        "a year": until - timedelta(days=365),
        "all": None,
    }


def calls(engine: Engine, until: datetime) -> Iterator[Call]:
    """Every report for every range, where it has one.

    Args:
        engine: a database with a plant's history.
        until: when the last part was made; ranges end a few minutes before, inside a shift.
    """
    last = until - timedelta(minutes=7)
    for span, since in spans(last).items():
        yield from _of_parts(engine, span, PartFilters(since=since, until=last))
        yield from _of_pictures(engine, span, PictureRange(since=since, until=last))
        if since is not None:
            yield from _of_charts(engine, span, since, last)
    lot = PartFilters(lot="lot-2-1")
    yield Call("lot", "", "", partial(lot_release, engine, "lot-2-1", UTC))
    yield Call(
        "defect-rate of a lot", "line", "all", partial(defect_rate, engine, lot, ["line"], UTC)
    )
    yield Call("backlog", "", "", partial(backlog, engine, PartFilters(), UTC))
    yield Call("label-progress", "", "", partial(label_progress, engine, _WANTED))


def _of_parts(engine: Engine, span: str, parts: PartFilters) -> Iterator[Call]:
    groups: list[list[str]] = [[], ["line"], ["day"], ["shift"], ["lot"], ["line", "week"]]
    if span in _FINE:
        groups += [["hour"], ["line", "hour"]]
    if span in _FINE[:2]:
        groups += [["quarter"]]
    for by in groups:
        yield Call("defect-rate", ", ".join(by), span, partial(defect_rate, engine, parts, by, UTC))
    line = replace(parts, line="line-1")
    yield Call(
        "defect-rate of a line", "day", span, partial(defect_rate, engine, line, ["day"], UTC)
    )
    for name, report, columns in (
        ("pareto", pareto, []),
        ("pareto", pareto, ["line", "day"]),
        ("first-pass", first_pass, ["product"]),
        ("versions", versions, ["line"]),
        ("versions", versions, ["day"]),
        ("label-verdict", label_verdict, ["product", "class"]),
        ("label-verdict", label_verdict, ["line", "model_version", "class"]),
    ):
        run = partial(report, engine, parts, columns, UTC)
        yield Call(name, ", ".join(columns), span, run)
    if parts.since is not None:
        yield Call("trend", "line", span, partial(trend, engine, parts, ["line"], UTC))


def _of_pictures(engine: Engine, span: str, pictures: PictureRange) -> Iterator[Call]:
    yield Call("rejected", "", span, partial(rejected, engine, pictures, UTC))
    filters = Filters(pictures.since, pictures.until)
    for by in (["camera"], ["product"], ["day"], ["shift"], ["line", "camera", "day"]):
        run = partial(picture_rates, engine, filters, by, UTC)
        yield Call("pictures", ", ".join(by), span, run)
    yield Call("model", "", span, partial(model, engine, filters, UTC))
    if pictures.since is not None:
        yield Call("flow", "", span, partial(flow, engine, pictures, UTC))


def _of_charts(engine: Engine, span: str, since: datetime, until: datetime) -> Iterator[Call]:
    """Of one of the products, made on every line."""
    now = datetime.now(UTC)
    charts = [Chart("product-0"), Chart("product-0", class_code="defect-1")]
    charts.append(Chart("product-0", by="lot"))
    if span in _FINE:
        charts += [Chart("product-0", by="hour"), Chart("product-0", by="n", n=500)]
    for chart in charts:
        by = f"{chart.by}, {chart.class_code}" if chart.class_code else chart.by
        run = partial(chart_view, engine, chart, since, until, timezone=UTC, now=now)
        yield Call(CHART, by, span, run)
