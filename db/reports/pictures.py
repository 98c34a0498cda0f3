"""Reports about pictures. They read the hourly roll-up: they cost the hours that they cover.

What is about cameras and models is here, in the hour of the verdict; parts are counted by
`db.reports.part_reports`. `timezone` is the plant's: in it hours, days and shifts begin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, tzinfo
from functools import partial, reduce
from operator import add
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Engine, func, select, table
from sqlalchemy import column as sql_column

from db.base import table_of
from db.inspections.hours import plant_hour
from db.inspections.rolled_up import VERDICTS, hours
from db.models.deployments import champions
from db.models.versions import versions
from db.reports.groups import COLUMNS, TIMES, Filters, Grouping
from db.reports.part_reports.names import refuse_name
from db.reports.picture_range import PictureRange, refuse_unknown
from db.reports.picture_times import PictureTimes
from db.reports.report import Report
from db.reports.rows import ClassRow, ModelRow, PictureRate
from db.reports.shifts import all_shifts
from db.session import reading
from db.tables import InspectionHourly

__all__ = ["Filters", "classes", "model", "picture_rates", "picture_report"]

_HOURLY = table_of(InspectionHourly)
_HOUR = _HOURLY.c.hour.type
EMPTY = "nothing was inspected in this time"
_JUDGED = ("passed", "defects", "review")


def picture_rates(
    engine: Engine, filters: Filters, by: Sequence[str], timezone: tzinfo
) -> list[PictureRate]:
    """How pictures ended, by group, sorted by group. Without `by`, one row.

    Raises:
        ReportError: `by` names what nothing is grouped by, or a filter what does not exist.
    """
    grouping = Grouping.of(by, all_shifts(engine), timezone)
    times = PictureTimes(grouping, filters.since, filters.until)

    def columns(of: Any) -> list[ColumnElement[Any]]:
        return [
            (times.expression(name, of.hour) if name in TIMES else of[name]).label(f"by_{name}")
            for name in grouping.by
        ]

    with reading(engine) as connection:
        counted = hours(connection, columns, *_conditions(filters, timezone))
        keys = [counted.c[f"by_{name}"] for name in grouping.by]
        sums = [func.sum(counted.c[name]).label(name) for name in VERDICTS]
        query = select(*keys, *sums).group_by(*keys)
        if keys:  # counts that came to nothing may stay as rows
            query = query.having(_any(sums))
        found = connection.execute(query).all()
    shows = [times.shown(name) for name in grouping.by]
    counts = {
        tuple(show(value) for show, value in zip(shows, row, strict=False)): {
            name: int(getattr(row, name) or 0) for name in VERDICTS
        }
        for row in found
    }
    if not any(any(each.values()) for each in counts.values()):
        _refuse_unknown(engine, filters)
    return [PictureRate(grouping.group(key), **counts[key]) for key in sorted(counts)]


def picture_report(engine: Engine, filters: Filters, by: Sequence[str], timezone: tzinfo) -> Report:
    """The same as a report.

    Raises:
        ReportError: see `picture_rates`.
    """
    groups = Grouping.of(by, (), timezone).by
    return Report(
        "pictures",
        "Pictures",
        tuple(row.cells() for row in picture_rates(engine, filters, by, timezone)),
        empty=EMPTY,
        blank=PictureRate(dict.fromkeys(groups, "")).cells(),
    )


def classes(engine: Engine, product: str | None = None) -> list[ClassRow]:
    """Each product's champion by class: precision, recall, F1 and support of its training run.

    Raises:
        ReportError: there is no such product; names the nearest.
    """
    names = ("product", "model_version", "class", "precision", "recall", "f1", "support")
    flags = ("scored", "champion")
    view = table(
        "report_class_metrics",
        *(sql_column(name) for name in names),
        *(sql_column(name, Boolean) for name in flags),
    )
    query = select(*(view.c[name] for name in (*names, "scored"))).where(view.c.champion)
    if product is not None:
        query = query.where(view.c.product == product)
    query = query.order_by(view.c.product, view.c["class"])
    with reading(engine) as connection:
        found = [ClassRow(*row) for row in connection.execute(query)]
        if not found:
            refuse_unknown(connection, PictureRange(product=product))
        return found


def model(engine: Engine, filters: Filters, timezone: tzinfo) -> list[ModelRow]:
    """Which model version judged how many pictures, and with what.

    Raises:
        ReportError: a filter names what does not exist.
    """

    def columns(of: Any) -> list[ColumnElement[Any]]:
        return [of.product, of.model_version, of.hour]

    with reading(engine) as connection:
        counted = hours(connection, columns, *_conditions(filters, timezone))
        c = counted.c
        sums = [func.sum(c[name]).label(name) for name in _JUDGED]
        first = func.min(c.hour, type_=_HOUR).label("first")
        last = func.max(c.hour, type_=_HOUR).label("last")
        query = select(c.product, c.model_version, *sums, first, last)
        query = query.where(_any([c[name] for name in _JUDGED]))
        query = query.group_by(c.product, c.model_version).having(_any(sums))
        found = connection.execute(query).all()
    if not found:
        _refuse_unknown(engine, filters)
    known = {info.version: info for info in versions(engine)}
    serving = champions(engine)
    rows = []
    for row in sorted(found, key=lambda row: (row.product, row.model_version)):
        info = known.get(row.model_version)
        rows.append(
            ModelRow(
                product=row.product,
                model_version=row.model_version,
                encoders=info.encoders if info else "",
                fingerprint=info.fingerprint if info else "",
                champion=bool(row.model_version) and serving.get(row.product) == row.model_version,
                rate=PictureRate({}, **{name: int(getattr(row, name)) for name in _JUDGED}),
                first_hour=row.first.astimezone(timezone),
                last_hour=row.last.astimezone(timezone),
                promise=info.promise if info else None,
            )
        )
    return rows


def _any(counts: Sequence[ColumnElement[Any]]) -> ColumnElement[bool]:
    return reduce(add, counts) > 0


def _refuse_unknown(engine: Engine, filters: Filters) -> None:
    names = PictureRange(product=filters.product, line=filters.line, camera=filters.camera)
    with reading(engine) as connection:
        refuse_unknown(connection, names)
        if filters.lot:
            lots = select(_HOURLY.c.lot).distinct()
            refuse_name("lot", filters.lot, set(connection.scalars(lots)) - {""})


def _conditions(
    filters: Filters, timezone: tzinfo
) -> Iterator[Callable[[Any], ColumnElement[bool]]]:
    """Conditions, each made of a table's columns."""
    for name in COLUMNS:
        if (value := getattr(filters, name)) is not None:
            yield partial(_is, name, value)
    if filters.since is not None:
        begins = plant_hour(filters.since, timezone)
        yield lambda of: of.hour >= begins
    if filters.until is not None:
        ends = filters.until.astimezone(UTC)
        yield lambda of: of.hour < ends


def _is(name: str, value: str, of: Any) -> ColumnElement[bool]:
    same: ColumnElement[bool] = of[name] == value
    return same
