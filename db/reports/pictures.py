"""Reports about pictures. They read the hourly roll-up: they cost the hours that they cover.

What is about cameras and models is here, in the hour of the verdict; parts are counted by
`db.reports.part_reports`. `timezone` is the plant's: in it hours, days and shifts begin.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Engine, func, select, table
from sqlalchemy import column as sql_column

from db.base import table_of
from db.inspections.hours import plant_hour
from db.models.deployments import champions
from db.models.versions import versions
from db.reports.groups import COLUMNS, Filters, Grouping
from db.reports.part_reports.names import refuse_name
from db.reports.picture_range import PictureRange, refuse_unknown
from db.reports.rows import ClassRow, ModelRow, PictureRate
from db.reports.shifts import all_shifts
from db.session import reading
from db.tables import InspectionHourly

__all__ = ["Filters", "classes", "model", "picture_rates"]

_HOURLY = table_of(InspectionHourly)
# What the roll-up calls a verdict, and what the report calls its column.
_COLUMN_OF = {
    "pass": "passed",
    "defect": "defects",
    "review": "review",
    "rejected": "rejected",
    "dead_letter": "dead_letter",
}


def picture_rates(
    engine: Engine, filters: Filters, by: Sequence[str], timezone: tzinfo
) -> list[PictureRate]:
    """How pictures ended, by group, sorted by group. Without `by`, one row.

    Raises:
        ReportError: `by` names what nothing is grouped by, or a filter what does not exist.
    """
    grouping = Grouping.of(by, all_shifts(engine), timezone)
    counts: defaultdict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    if not grouping.by:
        counts[()] = Counter()
    for key, verdict, count in _grouped(engine, filters, grouping):
        counts[key][_COLUMN_OF[verdict]] += count
    if not any(counts.values()):
        _refuse_unknown(engine, filters)
    return [PictureRate(grouping.group(key), **counts[key]) for key in sorted(counts)]


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
    c = _HOURLY.c
    query = (
        select(
            c.product,
            c.model_version,
            c.verdict,
            func.sum(c.count).label("count"),
            func.min(c.hour, type_=c.hour.type).label("first"),
            func.max(c.hour, type_=c.hour.type).label("last"),
        )
        .where(c.verdict.in_(["pass", "defect", "review"]), *_conditions(filters, timezone))
        .group_by(c.product, c.model_version, c.verdict)
    )
    found: defaultdict[tuple[str, str], list[Any]] = defaultdict(list)
    with reading(engine) as connection:
        for row in connection.execute(query):
            found[row.product, row.model_version].append(row)
    if not found:
        _refuse_unknown(engine, filters)
    known = {info.version: info for info in versions(engine)}
    serving = champions(engine)
    rows = []
    for (product, version), parts in sorted(found.items()):
        info = known.get(version)
        counts = {_COLUMN_OF[row.verdict]: int(row.count) for row in parts}
        rows.append(
            ModelRow(
                product=product,
                model_version=version,
                encoders=info.encoders if info else "",
                fingerprint=info.fingerprint if info else "",
                champion=bool(version) and serving.get(product) == version,
                rate=PictureRate({}, **counts),
                first_hour=min(row.first for row in parts).astimezone(timezone),
                last_hour=max(row.last for row in parts).astimezone(timezone),
                promise=info.promise if info else None,
            )
        )
    return rows


def _grouped(
    engine: Engine, filters: Filters, grouping: Grouping
) -> Iterator[tuple[tuple[str, ...], str, int]]:
    """(group's key, verdict, count): SQL sums what it can, times are added up here."""
    dims: list[ColumnElement[Any]] = [_HOURLY.c[name] for name in grouping.columns]
    if grouping.needs_hours:
        dims.append(_HOURLY.c.hour)
    query = (
        select(*dims, _HOURLY.c.verdict, func.sum(_HOURLY.c.count))
        .where(*_conditions(filters, grouping.timezone))
        .group_by(*dims, _HOURLY.c.verdict)
    )
    with reading(engine) as connection:
        rows = connection.execute(query).all()
    for row in rows:
        columns = dict(zip(grouping.columns, row, strict=False))
        hour: datetime | None = row[len(dims) - 1] if grouping.needs_hours else None
        yield grouping.key(hour, columns), row[-2], int(row[-1])


def _refuse_unknown(engine: Engine, filters: Filters) -> None:
    names = PictureRange(product=filters.product, line=filters.line, camera=filters.camera)
    with reading(engine) as connection:
        refuse_unknown(connection, names)
        if filters.lot:
            lots = select(_HOURLY.c.lot).distinct()
            refuse_name("lot", filters.lot, set(connection.scalars(lots)) - {""})


def _conditions(filters: Filters, timezone: tzinfo) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        _HOURLY.c[name] == getattr(filters, name)
        for name in COLUMNS
        if getattr(filters, name) is not None
    ]
    if filters.since is not None:
        conditions.append(_HOURLY.c.hour >= plant_hour(filters.since, timezone))
    if filters.until is not None:
        conditions.append(_HOURLY.c.hour < filters.until.astimezone(UTC))
    return conditions
