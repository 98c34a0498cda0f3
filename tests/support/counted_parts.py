"""Parts with known facts, and their counts as the database keeps them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from db.base import table_of
from db.session import transaction
from db.tables import Line, Part, PartCount, PartShiftCount, ShiftSpan
from quality.shifts.shift_calendar import (
    Calendar,
    Calendars,
    ShiftInstance,
    ShiftTimes,
    quarter_hour,
)

BERLIN = ZoneInfo("Europe/Berlin")
# The clocks go forward in the night to the 29th.
SATURDAY = datetime(2026, 3, 28, 3, 0, tzinfo=UTC)
FLAGS = ("again", "serialised", "by_receipt")
KINDS = (
    *("line", "product", "lot", "work_order", "model_version", "disposition", "classes"),
    *("decided_by", "why", "model_disposition", *FLAGS),
)


def shifts(zone: ZoneInfo, *times: tuple[str, str, str]) -> Calendars:
    """A calendar of shifts given as name, begin and end."""
    return Calendars(
        [
            Calendar(
                zone,
                tuple(
                    ShiftTimes(n, time.fromisoformat(s), time.fromisoformat(e)) for n, s, e in times
                ),
            )
        ]
    )


@cache
def usual(zone: ZoneInfo = BERLIN) -> dict[str, Calendars]:
    """The plant's three shifts, and line L1 whose shifts begin ten minutes earlier, with a gap."""
    return {
        "": shifts(
            zone,
            ("early", "06:00", "14:00"),
            ("late", "14:00", "22:00"),
            ("night", "22:00", "06:00"),
        ),
        "L1": shifts(zone, ("early", "05:50", "13:50"), ("night", "21:50", "05:50")),
    }


@dataclass(frozen=True, slots=True)
class Made:
    """One pass of a part, as it stands."""

    made_at: datetime
    line: str = "L1"
    product: str = "cable"
    lot: str = "A"
    work_order: str = ""
    model_version: str = "cable-1"
    disposition: str = "conforming"
    classes: str = ""
    decided_by: str = "model"
    why: str = ""
    model_disposition: str = "conforming"
    again: bool = False
    serialised: bool = True
    by_receipt: bool = False
    serial: str = ""


def random_parts(seed: int, count: int, days: float = 3) -> list[Made]:
    """Parts of every kind, the same for the same seed."""
    rng = random.Random(seed)
    return [_random_part(rng, number, days) for number in range(count)]


def _random_part(rng: random.Random, number: int, days: float) -> Made:
    disposition = rng.choice(["conforming", "conforming", "nonconforming", "open"])
    found = {"nonconforming": ["bent", "bent+cut", "cut", "cut+scratch"]}
    why = {"open": ["review", "rejected", "incomplete"]}
    return Made(
        made_at=SATURDAY + timedelta(seconds=rng.uniform(0, days * 86400)),
        line=rng.choice(["L1", "L2", ""]),
        product=rng.choice(["cable", "plug"]),
        lot=rng.choice(["A", "B", ""]),
        work_order=rng.choice(["W1", ""]),
        model_version=rng.choice(["cable-1", "cable-2", ""]),
        disposition=disposition,
        classes=rng.choice(found.get(disposition, [""])),
        decided_by="" if disposition == "open" else rng.choice(["model", "person"]),
        why=rng.choice(why.get(disposition, [""])),
        model_disposition=rng.choice(["conforming", "nonconforming", "open"]),
        again=rng.random() < 0.15,
        serialised=(serialised := rng.random() < 0.8),
        by_receipt=rng.random() < 0.1,
        serial=f"S{number}" if serialised else "",
    )


def shift_of(part: Made, calendars: Mapping[str, Calendars]) -> ShiftInstance:
    """The shift in which a part was made, by its line's calendar or the plant's."""
    return (calendars.get(part.line) or calendars[""]).at(part.made_at)


def store(engine: Engine, parts: Iterable[Made], calendars: Mapping[str, Calendars]) -> None:
    """Write parts, their counts, their lines, and the calendars' spans around them."""
    parts = [
        replace(part, serial=f"P{n}") if part.serialised and not part.serial else part
        for n, part in enumerate(parts)
    ]
    slices: Counter[tuple[object, ...]] = Counter()
    whole: Counter[tuple[object, ...]] = Counter()
    for part in parts:
        span = shift_of(part, calendars)
        kinds = tuple(getattr(part, name) for name in KINDS)
        shift = (span.starts, span.ends, span.name, span.day)
        slices[max(quarter_hour(part.made_at), span.starts), *shift, *kinds] += 1
        whole[*shift, *kinds] += 1
    columns = ("shift_at", "shift_ends_at", "shift", "plant_day", *KINDS)
    serials = [part_row(part, shift_of(part, calendars)) for part in parts if part.serialised]
    with transaction(engine) as connection:
        for table, rows in (
            (Line, [{"code": c, "name": c} for c in {p.line for p in parts} - {""}]),
            (PartCount, _rows(("slice_at", *columns), slices)),
            (PartShiftCount, _rows(columns, whole)),
            (Part, serials),
            (ShiftSpan, list(_spans([part.made_at for part in parts], calendars))),
        ):
            if rows:
                connection.execute(table_of(table).insert(), rows)


def _rows(columns: Sequence[str], counts: Counter[tuple[object, ...]]) -> list[dict[str, object]]:
    return [
        {**dict(zip(columns, key, strict=True)), "parts": parts} for key, parts in counts.items()
    ]


def part_row(part: Made, span: ShiftInstance) -> dict[str, object]:
    """The row that is kept of a pass."""
    kept = [name for name in KINDS if name not in ("again", "serialised")]
    return {
        **{name: getattr(part, name) for name in kept},
        "serial": part.serial,
        "scope": "",
        "pass_number": 2 if part.again else 1,
        "counted": True,
        "views": 1,
        "model_classes": "",
        "made_at": part.made_at,
        "last_at": part.made_at,
        "slice_at": max(quarter_hour(part.made_at), span.starts),
        "shift_at": span.starts,
        "shift_ends_at": span.ends,
        "shift": span.name,
        "plant_day": span.day,
    }


def _spans(
    times: Sequence[datetime], calendars: Mapping[str, Calendars]
) -> Iterable[dict[str, object]]:
    """Without holes, from a day before the first part to a day after the last."""
    for line, calendar in calendars.items():
        at, last = min(times) - timedelta(days=1), max(times) + timedelta(days=1)
        while at < last:
            span = calendar.at(at)
            yield {
                "line": line,
                "starts_at": span.starts,
                "ends_at": span.ends,
                "shift": span.name,
                "plant_day": span.day,
            }
            at = span.ends
