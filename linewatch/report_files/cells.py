"""Cells as people read them, in a terminal's table and on a page. Pure."""

from __future__ import annotations

from linewatch.csv_cell import Cell
from linewatch.plain_text import visible

# Endings of the names of columns that hold shares, and are shown as per cent.
_SHARES = (
    *("rate", "share", "cumulative", "yield", "agreement", "difference", "low", "high"),
    *("effectiveness", "always_right", "repeatability"),
)


def is_share(name: str) -> bool:
    """Whether a column holds shares, by its name."""
    return name.endswith(_SHARES)


def words(name: str, cell: Cell) -> str:
    """A cell of a column, in one line that does nothing."""
    if cell is None:
        return "–"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        if name == "ppm":
            return f"{cell:.0f}"
        return f"{cell:.2%}" if is_share(name) else f"{cell:.3f}"
    return visible(str(cell))
