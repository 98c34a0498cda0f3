"""Cells and lines of a CSV file that a spreadsheet shows and never runs. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

Cell = str | int | float | bool | None
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_cell(value: Cell) -> str:
    """A cell that no spreadsheet runs.

    Text that begins like a formula gets a leading apostrophe (OWASP, "CSV Injection"); numbers,
    negative ones too, stay as they are.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    risky = isinstance(value, str) and begins_like_a_formula(value)
    return f"'{value}" if risky else str(value)


def csv_line(cells: Sequence[str]) -> str:
    """A line, ended by a line feed; a cell that has either half of a line's end is quoted.

    Python's writer quotes only those characters that it ends lines with.
    """
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue().removesuffix("\r\n") + "\n"


def begins_like_a_formula(text: str) -> bool:
    """Whether a spreadsheet may run it; a number with its sign is only a number."""
    return text.startswith(_FORMULA_STARTS) and not _numeric(text)


def _numeric(text: str) -> bool:
    digits = text.removeprefix("-").removeprefix("+")
    return digits.isascii() and digits.replace(".", "", 1).isdigit() and text[:2] not in ("-+",)
