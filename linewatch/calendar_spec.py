"""What a shift calendar says of itself: in its file, and in the database."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, time
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from linewatch.nearest import did_you_mean
from linewatch.unknown_keys import short, without_unknown
from quality.shifts.shift_calendar import Calendar, ShiftTimes
from quality.shifts.shift_times import WEEKDAYS

PLANT = ""  # in a line's place: every line that has no calendar of its own
_YEARS = range(1970, 2200)
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)|24:00")


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _clock_time(value: object) -> str:
    text = str(value).strip()
    if not _TIME.fullmatch(text):
        raise ValueError(f"{short(text)} is no time of day; write HH:MM, such as 05:50")
    hour, minute = text.split(":")
    return f"{int(hour) % 24:02}:{minute}"


def _weekdays(value: object) -> tuple[str, ...]:
    """`mon`, `mon-fri`, or a list of these; in the week's order."""
    words = _listed(value)
    if not isinstance(words, list | tuple):
        raise ValueError("write days as a list, such as [mon, tue] or mon-fri")
    found: set[int] = set()
    for word in words:
        first, _, last = str(word).partition("-")
        begins = _weekday(first)
        length = (_weekday(last or first) - begins) % 7 + 1
        found |= {(begins + n) % 7 for n in range(length)}
    return tuple(WEEKDAYS[n] for n in sorted(found))


def _weekday(word: str) -> int:
    name = word.strip().lower()
    if name not in WEEKDAYS:
        advice = did_you_mean(name, WEEKDAYS)
        raise ValueError(f"{short(word)} is no weekday, of {', '.join(WEEKDAYS)}{advice}")
    return WEEKDAYS.index(name)


def _day(value: object) -> date:
    if isinstance(value, date):
        return value
    try:
        day = date.fromisoformat(str(value).strip())
    except ValueError:
        raise ValueError(f"{short(value)} is no day; write it as 2026-07-01") from None
    if day.year not in _YEARS:
        raise ValueError(f"{day} is not between {_YEARS[0]} and {_YEARS[-1]}")
    return day


_Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
_ClockTime = Annotated[str, BeforeValidator(_clock_time)]
_Day = Annotated[date, BeforeValidator(_day)]


class ShiftSpec(BaseModel):
    """A shift, by the plant's clock: it passes midnight if it ends first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: _Name
    starts: _ClockTime
    ends: _ClockTime
    days: Annotated[tuple[str, ...], BeforeValidator(_weekdays)] = WEEKDAYS

    @property
    def times(self) -> ShiftTimes:
        """The same for `quality.shifts.shift_calendar`."""
        starts, ends = time.fromisoformat(self.starts), time.fromisoformat(self.ends)
        days = frozenset(WEEKDAYS.index(day) for day in self.days)
        return ShiftTimes(self.name, starts, ends, days)


class CalendarSpec(BaseModel):
    """A calendar as its file says it.

    Attributes:
        lines: empty: the plant's, for every line that has no calendar of its own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    lines: Annotated[tuple[_Name, ...], BeforeValidator(_listed)] = ()
    timezone: str
    valid_from: _Day
    shifts: tuple[ShiftSpec, ...] = Field(min_length=1)
    holidays: Annotated[tuple[_Day, ...], BeforeValidator(_listed)] = ()

    @field_validator("lines")
    @classmethod
    def _all_is_none(cls, lines: tuple[str, ...]) -> tuple[str, ...]:
        if "all" in lines and len(lines) > 1:
            raise ValueError("write 'all' or the lines' names, not both")
        return () if lines == ("all",) else lines

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            advice = did_you_mean(name, available_timezones())
            raise ValueError(f"no time zone is called {short(name)}{advice}") from None
        return name

    @model_validator(mode="after")
    def _shifts_follow_each_other(self) -> CalendarSpec:
        words = [shift.name for shift in self.shifts] + list(self.lines)
        if not all(word.isprintable() for word in words):
            raise ValueError("names of shifts and lines hold no control characters")
        _ = self.calendar  # which refuses what overlaps
        return self

    @property
    def calendar(self) -> Calendar:
        """The same for `quality.shifts.shift_calendar`."""
        return Calendar(
            ZoneInfo(self.timezone),
            tuple(shift.times for shift in self.shifts),
            self.valid_from,
            frozenset(self.holidays),
        )


def parse_stored_calendar(spec: Mapping[str, Any], valid_from: date) -> CalendarSpec:
    """Read a calendar that this or a later version of Linewatch has checked and stored."""
    known, _ = without_unknown(CalendarSpec, {**spec, "valid_from": valid_from})
    return CalendarSpec.model_validate(known)
