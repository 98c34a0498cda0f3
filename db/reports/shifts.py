"""Shifts: which one an hour of the plant's day belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from sqlalchemy import Connection, Engine, insert, select

from db.base import table_of
from db.session import reading
from db.tables import ShiftRow

NO_SHIFT = "no shift"


@dataclass(frozen=True, slots=True)
class Shift:
    """`starts_hour` to `ends_hour` (exclusive) in plant time; passes midnight if it ends first."""

    name: str
    starts_hour: int
    ends_hour: int

    def __contains__(self, hour: int) -> bool:
        if self.starts_hour < self.ends_hour:
            return self.starts_hour <= hour < self.ends_hour
        return hour >= self.starts_hour or hour < self.ends_hour


DEFAULT_SHIFTS = (Shift("early", 6, 14), Shift("late", 14, 22), Shift("night", 22, 6))


def shift_of(hour: datetime, shifts: Sequence[Shift], timezone: tzinfo) -> tuple[str, date]:
    """The shift that a plant hour belongs to, and the day on which that shift began.

    Hours after midnight of a night shift count to the evening's day, as plants count them. Where
    shifts overlap, the first one listed wins; an hour outside every shift is `NO_SHIFT`.
    """
    local = hour.astimezone(timezone)
    name, began_yesterday = shift_at(local.hour, shifts)
    return name, local.date() - timedelta(days=int(began_yesterday))


def shift_at(hour: int, shifts: Sequence[Shift]) -> tuple[str, bool]:
    """The shift that an hour of the plant's day is in, and whether it began the day before."""
    for shift in shifts:
        if hour in shift:
            return shift.name, hour < shift.ends_hour <= shift.starts_hour
    return NO_SHIFT, False


def all_shifts(engine: Engine) -> tuple[Shift, ...]:
    """The plant's shifts by starting hour, or the usual three where none are set."""
    with reading(engine) as connection:
        return shifts_in(connection)


def shifts_in(connection: Connection) -> tuple[Shift, ...]:
    """The same within a transaction."""
    query = select(ShiftRow.name, ShiftRow.starts_hour, ShiftRow.ends_hour)
    rows = connection.execute(query.order_by(ShiftRow.starts_hour, ShiftRow.name))
    return tuple(Shift(*row) for row in rows) or DEFAULT_SHIFTS


def set_shifts(connection: Connection, shifts: Sequence[Shift]) -> None:
    """Replace the plant's shifts; an empty list brings back the usual three."""
    table = table_of(ShiftRow)
    rows = [
        {"name": s.name, "starts_hour": s.starts_hour, "ends_hour": s.ends_hour} for s in shifts
    ]
    connection.execute(table.delete())
    if rows:
        connection.execute(insert(table), rows)
