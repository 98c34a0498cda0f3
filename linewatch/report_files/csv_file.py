"""A report as CSV. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from linewatch.csv_cell import Cell, csv_cell, csv_line
from linewatch.plain_text import visible

BETWEEN_QUOTES = "\t\r\n"  # what a program reads back, and a terminal must not get


def csv_text(
    rows: Sequence[Mapping[str, Cell]], keep: str = BETWEEN_QUOTES, *, header: bool = True
) -> str:
    """A line of names, if `header`, and a line a row; nothing where there are no rows.

    Text that begins like a formula gets an apostrophe (see `linewatch.csv_cell`). Characters that
    cannot be seen are written as their escapes, but those in `keep`.
    """
    if not rows:
        return ""
    lines = [list(rows[0].keys())] if header else []
    lines += [[visible(csv_cell(cell), keep) for cell in row.values()] for row in rows]
    return "".join(map(csv_line, lines))
