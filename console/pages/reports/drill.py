"""From a row of a report to the parts behind it: the same filters, and what the row is of. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

from console.pages.reports.asked import Asked
from db.reports.report import Cell, Report

_NAMES = ("line", "product", "lot", "work_order", "shift", "class", "model_version")
_STEPS = {"quarter": timedelta(minutes=15), "hour": timedelta(hours=1)}
_WEEK = timedelta(days=6)


def parts_behind(asked: Asked, report: Report, row: Mapping[str, Cell]) -> str:
    """The address of the page that lists the parts of a row; empty: no page can list them.

    The range is the one that was counted, which is that asked for with the quarter hours and shifts
    that it begins and ends in.
    """
    said = {name: value for name in _NAMES if (value := _filter(asked, name))}
    for name in _NAMES:
        cell = row.get(name)
        if cell == "":
            return ""  # parts of no line, say: an empty filter would be none
        if isinstance(cell, str):
            said[name] = cell
    since, until = _span(row, report)
    said |= _days(row)
    for name, at in (("since", since or asked.since), ("until", until or asked.until)):
        if at:
            said[name] = at if isinstance(at, str) else at.isoformat()
    return f"/reports/parts?{urlencode(said)}"


def _filter(asked: Asked, name: str) -> str | None:
    found: str | None = getattr(asked, "class_" if name == "class" else name, None)
    return found


def _span(row: Mapping[str, Cell], report: Report) -> tuple[datetime | None, datetime | None]:
    """What was counted, of it the row's hour or quarter hour: an hour is one by every clock."""
    since, until = report.since, report.until
    for name, step in _STEPS.items():
        begins = row.get(name)
        if isinstance(begins, datetime):
            ends = (begins.astimezone(UTC) + step).astimezone(begins.tzinfo)
            return _later(begins, since), _earlier(ends, until)
    return since, until


def _later(one: datetime, other: datetime | None) -> datetime:
    """In UTC: of one zone Python compares what its clock shows, and that comes twice in autumn."""
    return one if other is None or other.astimezone(UTC) < one.astimezone(UTC) else other


def _earlier(one: datetime, other: datetime | None) -> datetime:
    return one if other is None or other.astimezone(UTC) > one.astimezone(UTC) else other


def _days(row: Mapping[str, Cell]) -> dict[str, str]:
    """The plant days that a row is of: a night shift counts to the one on which it began."""
    day, week, month = (row.get(name) for name in ("day", "week", "month"))
    if isinstance(day, date):
        first = last = day
    elif isinstance(week, str):  # 2026-W05
        year, number = week.split("-W")
        first = date.fromisocalendar(int(year), int(number), 1)
        last = first + _WEEK
    elif isinstance(month, str):  # 2026-01
        first = date.fromisoformat(f"{month}-01")
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    else:
        return {}
    return {"first_day": first.isoformat(), "last_day": last.isoformat()}
