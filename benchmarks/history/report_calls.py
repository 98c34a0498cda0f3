"""Every report as a plant asks for it, by name and range."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import Engine

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
_FINE = ("1 shift", "1 week")  # ranges that somebody looks at by the hour
_WANTED = Wanted(pictures=5, labels=50)


@dataclass(frozen=True, slots=True)
class Call:
    """A report over one range; `what` tells both and how it is grouped."""

    report: str
    by: str
    span: str
    run: Callable[[], object]


def spans(until: datetime) -> dict[str, datetime | None]:
    """Since when each range is, up to `until`; None: all."""
    return {
        "1 shift": until - _SHIFT,
        "1 week": until - _WEEK,
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
        groups += [["hour"], ["quarter"]]
    for by in groups:
        yield Call("defect-rate", ", ".join(by), span, partial(defect_rate, engine, parts, by, UTC))
    line = replace(parts, line="line-1")
    yield Call(
        "defect-rate of a line", "day", span, partial(defect_rate, engine, line, ["day"], UTC)
    )
    yield Call("pareto", "", span, partial(pareto, engine, parts, [], UTC))
    for name, report, column in (
        ("first-pass", first_pass, "product"),
        ("versions", versions, "model_version"),
        ("label-verdict", label_verdict, "product"),
    ):
        yield Call(name, column, span, partial(report, engine, parts, [column], UTC))
    if parts.since is not None:
        yield Call("trend", "line", span, partial(trend, engine, parts, ["line"], UTC))


def _of_pictures(engine: Engine, span: str, pictures: PictureRange) -> Iterator[Call]:
    yield Call("rejected", "", span, partial(rejected, engine, pictures, UTC))
    filters = Filters(pictures.since, pictures.until)
    yield Call("pictures", "camera", span, partial(picture_rates, engine, filters, ["camera"], UTC))
    yield Call("model", "", span, partial(model, engine, filters, UTC))
    if pictures.since is not None:
        yield Call("flow", "", span, partial(flow, engine, pictures, UTC))
