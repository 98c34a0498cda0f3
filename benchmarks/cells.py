"""Markdown tables of rows that need not have the same columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_LONGEST_CELL = 90


def measured(value: float | Mapping[str, Any]) -> dict[str, Any]:
    """The cells of a figure: median [low, high], rounds, and how many were thrown out."""
    if not isinstance(value, Mapping):
        return {"measured": value, "rounds": "–", "thrown out": "–"}
    told = cell(value["median"])
    if value["low"] is not None:
        told += f" [{cell(value['low'])}, {cell(value['high'])}]"
    return {"measured": told, "rounds": value["rounds"], "thrown out": value["thrown_out"]}


def is_estimate(value: Any) -> bool:
    """Whether it is what `benchmarks.intervals.Estimate.as_row` gives."""
    return isinstance(value, Mapping) and {"median", "low", "high"} <= value.keys()


def flat(row: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested names joined by a blank: {"images_per_s": {"median": 3}} → "images_per_s median"."""
    cells: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, Mapping):
            cells |= flat(value, f"{prefix}{key} ")
        else:
            cells[f"{prefix}{key}"] = value
    return cells


def grid(rows: Sequence[Mapping[str, Any]]) -> str:
    """A Markdown table with every column that any row has."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    lines = [columns, ["---"] * len(columns)]
    lines += [[cell(row.get(column, "")) for column in columns] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) if rows else ""


def cell(value: Any) -> str:
    """A value as a cell shows it: four digits, no line breaks, not too long."""
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    text = "" if value is None else str(value).replace("|", "\\|").replace("\n", " ")
    return text if len(text) <= _LONGEST_CELL or "`" in text else f"{text[:_LONGEST_CELL]}…"
