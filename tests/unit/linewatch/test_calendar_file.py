"""Files of shift calendars: what they say, and what is wrong with them."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path
from typing import Any

import pytest

from linewatch.calendar_file import load_calendars
from linewatch.calendar_spec import PLANT, parse_stored_calendar
from linewatch.errors import CalendarError

TWO = """
calendars:
- lines: all
  timezone: Europe/Berlin
  valid_from: 2026-01-01
  shifts:
  - {name: early, starts: 05:50, ends: 13:50, days: mon-fri}
  - {name: late, starts: 13:50, ends: 21:50, days: [mon, Tue, wed, thu, fri]}
  holidays: [2026-12-25]
- lines: [01, L2]
  valid_from: 2026-07-01
  shifts:
  - {name: all, starts: 6:00, ends: 24:00}
"""


def load(path: Path, text: str) -> dict[str, Any]:
    file = path / "calendar.yaml"
    file.write_text(text)
    return load_calendars(file, "Asia/Tokyo")


def test_a_file_of_several_calendars(tmp_path: Path) -> None:
    found = load(tmp_path, TWO)
    assert list(found) == [PLANT, "01", "L2"]
    (plants,) = found[PLANT]
    calendar = plants.calendar
    assert (str(calendar.timezone), calendar.valid_from) == ("Europe/Berlin", date(2026, 1, 1))
    assert calendar.holidays == {date(2026, 12, 25)}
    assert [(s.name, s.starts, s.ends, len(s.days)) for s in calendar.shifts] == [
        ("early", time(5, 50), time(13, 50), 5),
        ("late", time(13, 50), time(21, 50), 5),
    ]
    (own,) = found["L2"]
    assert own.timezone == "Asia/Tokyo", "the plant's, where the file says none"
    (shift,) = own.calendar.shifts
    assert (shift.starts, shift.ends, shift.minutes) == (time(6), time(0), 18 * 60)
    again = own.model_dump(mode="json", exclude={"lines", "valid_from"})
    read = parse_stored_calendar({**again, "of_a_later_version": 1}, own.valid_from)
    assert read.calendar == own.calendar


def test_one_calendar_may_stand_alone(tmp_path: Path) -> None:
    text = "valid_from: 2026-01-01\nshifts:\n- {name: day, starts: 08:00, ends: 16:00}\n"
    assert list(load(tmp_path, text)) == [PLANT]


ALONE = "valid_from: 2026-01-01\nshifts: [{name: a, starts: '6:00', ends: '14:00'}]\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (ALONE.replace("shifts", "shfits"), "no key 'calendars.0.shfits' (is 'shifts' meant?)"),
        (ALONE.replace("starts", "begins"), "no key 'calendars.0.shifts.0.begins'"),
        (f"{ALONE}timezone: Europe/Berln", "called 'Europe/Berln'; did you mean 'Europe/Berlin'?"),
        (f"{ALONE}timezone: ../etc/passwd", "no time zone is called '../etc/passwd'"),
        (ALONE.replace("'6:00'", "25:00"), "'25:00' is no time of day; write HH:MM"),
        (ALONE.replace("'6:00'", "6"), "'6' is no time of day"),
        (ALONE.replace("'14:00'", "'14:00', days: [mo]"), "'mo' is no weekday"),
        (ALONE.replace("2026-01-01", "1.1.2026"), "'1.1.2026' is no day; write it as 2026-07-01"),
        (ALONE.replace("2026", "0026"), "0026-01-01 is not between 1970 and 2199"),
        (
            ALONE.replace("}]", "}, {name: b, starts: '13:00', ends: '15:00', days: tue}]"),
            "shift 'a' that begins on tue overlaps 'b'",
        ),
        (ALONE.replace("name: a", "name: no shift"), "a shift cannot be called 'no shift'"),
        (ALONE.replace("name: a", 'name: "a\\n"').replace("\\n", "\\eb"), "no control characters"),
        (f"{ALONE}lines: [all, L1]", "write 'all' or the lines' names, not both"),
        (f"{ALONE}{ALONE}", "the key 'valid_from' is there twice"),
        (f"calendars: [{{{ALONE.split()[0]} 2026-01-01}}]", "calendars.0.shifts: Field required"),
        ("shifts: [", "while parsing"),
        ("calendars: 5", "calendars: Input should be a valid tuple"),
        ("- a", "file: is no table of keys and values"),
        (
            "calendars:\n" + 2 * f"- {ALONE}".replace("\n", "\n  ").rstrip().join(["", "\n"]),
            "two calendars of the plant are valid from 2026-01-01",
        ),
    ],
)
def test_what_no_calendar_can_be_is_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(CalendarError) as caught:
        load(tmp_path, text)
    assert str(caught.value).startswith(str(tmp_path / "calendar.yaml"))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "at least 1 item" not in str(caught.value), "what was wrong within it is said"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CalendarError, match=r"none\.yaml"):
        load_calendars(tmp_path / "none.yaml", "UTC")
