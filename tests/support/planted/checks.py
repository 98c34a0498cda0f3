"""Whether parts and both tables of counts are what was planted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from tests.support.planted import counting
from tests.support.planted.clock import DAY_0, quarter_of, shift_of
from tests.support.planted.parts import Truth
from tests.support.planted.stored import day, fetched, instant, uuid

_KINDS = (
    *("line", "product", "lot", "work_order", "model_version", "disposition", "classes"),
    *("decided_by", "why", "model_disposition", "again", "serialised", "by_receipt"),
)


def timed(engine: Engine, parts: Sequence[Truth]) -> tuple[list[Truth], frozenset[UUID]]:
    """The parts with the receipt of those that have no time of their own, and which these are."""
    rows = fetched(engine, "SELECT id, made_at FROM inspections WHERE by_receipt")
    times = {uuid(row["id"]): instant(row["made_at"]) for row in rows}
    wanted = {one.first for one in parts if one.made_at is None}
    assert times.keys() == wanted
    assert all(DAY_0 + timedelta(days=9) < at for at in times.values())
    timed_ = [replace(one, made_at=times.get(one.first, one.made_at)) for one in parts]
    return timed_, frozenset(wanted)


def parts_are_right(engine: Engine, truth: Sequence[Truth], received: frozenset[UUID]) -> None:
    rows = fetched(engine, "SELECT * FROM parts WHERE counted")
    stored = {
        (row["product"], row["serial"], row["scope"], row["pass_number"]): (
            *(row[name] for name in _KINDS[:10]),
            *(row["views"], bool(row["by_receipt"]), instant(row["made_at"])),
            *(instant(row["slice_at"]), instant(row["shift_at"]), row["shift"]),
        )
        for row in rows
    }
    expected = {}
    for one in truth:
        assert one.made_at is not None
        key = (one.product, one.serial, one.scope, one.number)
        if one.serial or key in stored:
            shift = shift_of(one.line, one.made_at)
            expected[key] = (
                *counting.counted(one, by_receipt=one.first in received)[:10],
                *(one.views, one.first in received, one.made_at),
                *(max(quarter_of(one.made_at), shift.starts), shift.starts, shift.name),
            )
    assert stored.keys() == expected.keys()
    assert {k: (v, expected[k]) for k, v in stored.items() if v != expected[k]} == {}


def counts_are_right(engine: Engine, truth: Sequence[Truth], received: frozenset[UUID]) -> None:
    slices: Counter[tuple[Any, ...]] = Counter()
    shifts: Counter[tuple[Any, ...]] = Counter()
    for one in truth:
        assert one.made_at is not None
        kinds = counting.counted(one, by_receipt=one.first in received)
        shift = shift_of(one.line, one.made_at)
        slices[max(quarter_of(one.made_at), shift.starts), *shift, *kinds] += 1
        shifts[*shift, *kinds] += 1
    for table, at, expected in (
        ("part_counts", ("slice_at",), slices),
        ("part_shift_counts", (), shifts),
    ):
        rows = fetched(engine, f"SELECT * FROM {table} WHERE parts <> 0")
        found = Counter(
            {
                (
                    *(instant(row[name]) for name in (*at, "shift_at", "shift_ends_at")),
                    *(row["shift"], day(row["plant_day"])),
                    *(row[name] for name in _KINDS[:10]),
                    *(bool(row[name]) for name in _KINDS[10:]),
                ): row["parts"]
                for row in rows
            }
        )
        assert (found - expected, expected - found) == (Counter(), Counter())
