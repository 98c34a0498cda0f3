"""What is counted of parts, by slice and by shift, moved by differences; on SQLite."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import sqlite

from db.base import table_of
from db.tables import PartCount, PartShiftCount

KINDS = (
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
)
FLAGS = ("again", "serialised", "by_receipt")
_OF_SHIFT = ("shift_ends_at", "shift", "plant_day")
_KEY = ("slice_at", "shift_at", *KINDS, *FLAGS, *_OF_SHIFT)

Key = tuple[Any, ...]


def change(old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> Counter[Key]:
    """By how much each count changes when these rows of `parts` become those."""
    found: Counter[Key] = Counter(_key(row) for row in new)
    found.subtract(_key(row) for row in old)
    return found


def add_counts(connection: Connection, changes: Mapping[Key, int]) -> None:
    """Add to the counts by slice and by shift."""
    _add_named(connection, table_of(PartCount), "slice_at", changes)
    add_shift_counts(connection, changes)


def add_shift_counts(connection: Connection, changes: Mapping[Key, int]) -> None:
    """Add to the counts by shift alone."""
    _add_named(connection, table_of(PartShiftCount), "shift_at", changes)


def _add_named(connection: Connection, table: Table, when: str, changes: Mapping[Key, int]) -> None:
    sums: Counter[Key] = Counter()
    for key, parts in changes.items():
        named = dict(zip(_KEY, key, strict=True))
        sums[tuple(named[c.name] for c in table.columns if c.name != "parts")] += parts
    _add(connection, table, when, sums)


def _add(connection: Connection, table: Table, when: str, sums: Mapping[Key, int]) -> None:
    names = [c.name for c in table.columns if c.name != "parts"]
    rows = [
        {**dict(zip(names, key, strict=True)), "parts": parts}
        for key, parts in sums.items()
        if parts
    ]
    if rows:
        connection.execute(_adding(table, when), rows)


@cache
def _adding(table: Table, when: str) -> sqlite.Insert:
    statement = sqlite.insert(table)
    return statement.on_conflict_do_update(
        index_elements=[when, *KINDS, *FLAGS],
        set_={"parts": table.c.parts + statement.excluded.parts},
    )


def _key(row: Mapping[str, Any]) -> Key:
    flags = {"again": row["pass_number"] > 1, "serialised": row["serial"] != ""}
    return tuple(flags.get(name, row.get(name)) for name in _KEY)
