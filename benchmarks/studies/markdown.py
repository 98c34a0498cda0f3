"""Pieces of docs/studies.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.report import of_earlier_encoders

Result = dict[str, Any]


def section(result: Result, *parts: str) -> str:
    """Where a result is from, and its tables."""
    return "\n\n".join([_about(result), *parts])


def table(headings: str, rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; `headings` are parted by bars."""
    rule = "|" + "---|" * (headings.count("|") + 1)
    return "\n".join([f"| {headings} |", rule, *(f"| {' | '.join(row)} |" for row in rows)])


def _about(result: Result) -> str:
    encoders = result["settings"].get("encoders")
    on = f" Features: {encoders}." if encoders else ""
    source = f"From `benchmarks/results/{result['name']}.json` ({result['when'][:10]}).{on}"
    return f"{source} {of_earlier_encoders(result)}".strip()


def points(difference: float) -> str:
    """A difference of shares, in points, with its sign."""
    return f"{100 * difference:+.1f}"


def percent(share: float) -> str:
    """A share with one decimal."""
    return f"{100 * share:.1f} %"
