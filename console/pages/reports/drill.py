"""From a row of a report to the parts behind it: the same filters, and what the row is of. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from console.pages.reports.asked import Asked
from db.reports.report import Cell

_NAMES = ("line", "product", "lot", "work_order", "shift", "class")
_STEPS = {"quarter": timedelta(minutes=15), "hour": timedelta(hours=1)}
_DAYS = {"day": timedelta(days=1), "week": timedelta(weeks=1)}


def parts_behind(asked: Asked, row: Mapping[str, Cell], *, path: str = "/reports/parts") -> str:
    """The address of the page that lists the parts of a row."""
    said = {
        name: value
        for name in (*_NAMES, "since", "until")
        if (value := getattr(asked, "class_" if name == "class" else name))
    }
    for name in _NAMES:
        cell = row.get(name)
        if isinstance(cell, str) and cell:
            said[name] = cell
    if span := _span(row):
        said["since"], said["until"] = (at.isoformat() for at in span)
    return f"{path}?{urlencode(said)}"


def _span(row: Mapping[str, Cell]) -> tuple[date, date] | None:
    """The time that a row is of, where it is grouped by time; the finest of its columns."""
    for name, step in {**_STEPS, **_DAYS}.items():
        cell = row.get(name)
        if isinstance(cell, date):  # a datetime is a date, too
            return cell, cell + step
    cell = row.get("month")
    if isinstance(cell, date) and not isinstance(cell, datetime):
        return cell, (cell.replace(day=1) + timedelta(days=32)).replace(day=1)
    return None
