"""Parts for control charts: so many nonconforming of so many, shift after shift."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, delete

from db.base import table_of
from db.products import register
from db.session import transaction
from db.tables import PartCount, PartShiftCount
from linewatch.products import parse_product
from quality.shifts.shift_calendar import quarter_hour

MONDAY = datetime(2026, 2, 2, 6, 0, tzinfo=UTC)
SHIFT = timedelta(hours=8)
_NAMES = {6: "early", 14: "late", 22: "night"}
# Of 100 parts each: in control, by a binomial of 0.1.
STEADY = (9, 12, 8, 10, 11, 7, 13, 10, 9, 12, 6, 11, 10, 8, 14, 9, 10, 11, 12, 8)


def a_product(engine: Engine, *classes: str) -> None:
    """Register `cable` with these classes and a good one."""
    said = {
        "product": "cable",
        "classes": [{"code": "ok", "good": True}, *({"code": code} for code in classes)],
    }
    with transaction(engine) as connection:
        register(connection, parse_product(said, "a test"))


@dataclass(frozen=True, slots=True)
class ShiftParts:
    """The parts of one shift, one after another at even steps, the nonconforming ones first."""

    place: int
    nonconforming: int
    parts: int = 100
    open_: int = 0
    line: str = "L1"
    bad: str = "bent"

    def rows(self) -> Iterator[dict[str, Any]]:
        """A row of slices for each part."""
        begins, step = MONDAY + self.place * SHIFT, SHIFT / (self.parts + self.open_)
        kinds = ["nonconforming"] * self.nonconforming
        kinds += ["conforming"] * (self.parts - self.nonconforming) + ["open"] * self.open_
        for number, kind in enumerate(kinds):
            yield {
                "slice_at": quarter_hour(begins + number * step),
                "shift_at": begins,
                "shift_ends_at": begins + SHIFT,
                "shift": _NAMES[begins.hour],
                "plant_day": begins.date(),
                "line": self.line,
                "product": "cable",
                "lot": f"A{self.place:03}",
                "disposition": kind,
                "classes": self.bad if kind == "nonconforming" else "",
                "decided_by": "" if kind == "open" else "model",
                "model_disposition": kind,
                **dict.fromkeys(("work_order", "model_version", "why"), ""),
                **dict.fromkeys(("again", "serialised", "by_receipt"), False),
            }


def steady(counts: Sequence[int] = STEADY, first: int = 0, line: str = "L1") -> list[ShiftParts]:
    """A shift for each count of nonconforming parts of 100."""
    return [ShiftParts(place, count, line=line) for place, count in enumerate(counts, first)]


def store_all(engine: Engine, shifts: Iterable[ShiftParts]) -> None:
    """Make these the only parts that are counted."""
    every = [row for one in shifts for row in one.rows()]
    with transaction(engine) as connection:
        for model in (PartCount, PartShiftCount):
            table = table_of(model)
            names = [column.name for column in table.columns if column.name != "parts"]
            counts = Counter(tuple(row[name] for name in names) for row in every)
            connection.execute(delete(table))
            connection.execute(
                table.insert(),
                [
                    {**dict(zip(names, key, strict=True)), "parts": parts}
                    for key, parts in counts.items()
                ],
            )


def after(shifts: int) -> datetime:
    """When so many shifts are over, and their last pictures judged."""
    return MONDAY + shifts * SHIFT + timedelta(hours=1)
