"""Calendars to import, and what should be counted under those that hold."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from sqlalchemy import Engine, select

from db.base import table_of
from db.calendars.imports import Change, imported
from db.calendars.stored import calendar_of
from db.session import reading
from db.tables import PartCount, PartShiftCount
from linewatch.calendar_file import parse_calendars
from linewatch.calendar_spec import CalendarSpec
from quality.parts.parts import PartPass
from quality.shifts.shift_calendar import quarter_hour
from tests.support.committed import committed
from tests.support.part_facts import PRODUCT, Facts

Shifts = dict[str, tuple[str, str]]


def a_calendar(valid_from: date, shifts: Shifts, **more: Any) -> dict[str, Any]:
    """A calendar as a file says it; of all lines, where `lines` is not given."""
    listed = [{"name": n, "starts": a, "ends": b} for n, (a, b) in shifts.items()]
    return {"valid_from": str(valid_from), "shifts": listed, **more}


def specs(*calendars: dict[str, Any], timezone: str = "UTC") -> dict[str, list[CalendarSpec]]:
    """Calendars by line."""
    return parse_calendars({"calendars": list(calendars)}, timezone, "a test")


def an_import(engine: Engine, *calendars: dict[str, Any]) -> list[Change]:
    """Import calendars in a transaction."""
    return committed(engine, imported, specs(*calendars), by="ann")


def expected_counts(engine: Engine, facts: Facts) -> tuple[Counter[Any], Counter[Any]]:
    """Parts by slice and by shift, counted one by one from what was said."""
    slices: Counter[Any] = Counter()
    shifts: Counter[Any] = Counter()
    lines: dict[str, Any] = {}
    for (serial, _, number), part in facts.parts().items():
        if part.line not in lines:
            lines[part.line] = calendar_of(engine, part.line)
        shift = lines[part.line].at(part.made_at)
        of_shift = (shift.starts, shift.ends, shift.name, shift.day)
        kind = _kind(part, again=number > 1, serialised=serial != "")
        slices[max(quarter_hour(part.made_at), shift.starts), *of_shift, *kind] += 1
        shifts[*of_shift, *kind] += 1
    return slices, shifts


def stored_counts(engine: Engine) -> tuple[Counter[Any], Counter[Any]]:
    """Parts by slice and by shift, as they are stored; rows that came to nothing count as rows."""
    found = []
    names = ("shift_at", "shift_ends_at", "shift", "plant_day", *_KINDS)
    for model, more in ((PartCount, ("slice_at",)), (PartShiftCount, ())):
        with reading(engine) as connection:
            rows = connection.execute(select(table_of(model))).mappings().all()
        counts: Counter[Any] = Counter()
        for row in rows:
            counts[tuple(row[name] for name in (*more, *names))] += row["parts"]
        found.append(counts)
    slices, shifts = found
    return slices, shifts


_KINDS = (
    "line",
    "product",
    "lot",
    "work_order",
    "model_version",
    "disposition",
    "classes",
    "decided_by",
    "why",
    "model_disposition",
    "by_receipt",
    "again",
    "serialised",
)


def _kind(part: PartPass, *, again: bool, serialised: bool) -> tuple[Any, ...]:
    return (
        *(part.line, PRODUCT, part.lot, part.work_order, part.model_version),
        *(str(part.outcome.disposition), "+".join(part.outcome.classes)),
        *(str(part.outcome.by), str(part.outcome.why or ""), str(part.model.disposition)),
        *(part.by_receipt, again, serialised),
    )
