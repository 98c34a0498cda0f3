"""A report as CSV. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from linewatch.csv_cell import Cell, csv_cell, csv_line
from linewatch.plain_text import visible

BETWEEN_QUOTES = "\t\r\n"  # what a program reads back, and a terminal must not get


def csv_text(
    columns: Sequence[str],
    rows: Sequence[Mapping[str, Cell]],
    keep: str = BETWEEN_QUOTES,
    *,
    header: bool = True,
) -> str:
    """The names of the columns, if `header`, and a line a row: programs read tables without rows.

    Text that begins like a formula gets an apostrophe (see `linewatch.csv_cell`). Characters that
    cannot be seen are written as their escapes, but those in `keep`.
    """
    lines = [list(columns)] if header and columns else []
    lines += [[visible(csv_cell(row[name]), keep) for name in columns] for row in rows]
    return "".join(map(csv_line, lines))
