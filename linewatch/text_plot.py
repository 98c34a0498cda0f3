"""A control chart as lines of text, in plain characters, for any terminal or log. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

SIGNAL, POINT, PROVISIONAL = "X", "*", "o"
LEGEND = f"{POINT} point   {SIGNAL} signal   {PROVISIONAL} provisional   - limits   . centre"
_STEP = 2  # columns from one point to the next
_EVERY = 5  # points from one number below to the next


@dataclass(frozen=True, slots=True)
class PlotPoint:
    """A point and the lines at its place; None is not drawn."""

    value: float | None
    lower: float | None = None
    centre: float | None = None
    upper: float | None = None
    mark: str = POINT


def plot(
    points: Sequence[PlotPoint],
    label: Callable[[float], str],
    *,
    width: int = 78,
    height: int = 15,
) -> list[str]:
    """Draw the latest points that fit, the newest on the right.

    Args:
        label: how a value is written at the side.
        width: characters, with the labels.
        height: lines, without the numbers below.

    Returns:
        Lines without spaces at their end; none where no point has a value.
    """
    count, points = len(points), points[-max(1, width // _STEP) :]
    values = [v for one in points for v in (one.value, one.lower, one.upper) if v is not None]
    if not any(one.value is not None for one in points):
        return []
    low, high = min(values), max(values)
    if low == high:
        low, high = min(0.0, low), max(0.0, high) or 1.0
    side = max(len(label(low)), len(label(high)), len(label((low + high) / 2)))
    shown = points[-fitting(width, side) :]
    first = count - len(shown) + 1
    labelled = {0: high, height - 1: low}
    if height % 2:  # else no line lies in the middle
        labelled[height // 2] = (low + high) / 2
    rows = _drawn(shown, low, high, height)
    lines = [
        f"{label(labelled[n]) if n in labelled else '':>{side}} |{''.join(row)}"
        for n, row in enumerate(rows)
    ]
    lines.append(f"{'':>{side}} +{'-' * (_STEP * len(shown))}")
    lines.append(f"{'':>{side}}  {_numbers(first, len(shown))}")
    return [line.rstrip() for line in lines]


def fitting(width: int, side: int) -> int:
    """How many points fit beside labels that are `side` characters wide; at least one."""
    return max(1, (width - side - 2) // _STEP)


def _drawn(points: Sequence[PlotPoint], low: float, high: float, height: int) -> list[list[str]]:
    rows = [[" "] * (_STEP * len(points)) for _ in range(height)]

    def place(value: float) -> int:
        share = (value - low) / (high - low)
        return height - 1 - min(height - 1, max(0, round(share * (height - 1))))

    for number, one in enumerate(points):
        column = _STEP * number + 1
        # Later ones hide earlier ones: a point is never hidden by a line.
        for value, mark in (
            (one.centre, "."),
            (one.lower, "-"),
            (one.upper, "-"),
            (one.value, one.mark),
        ):
            if value is not None:
                rows[place(value)][column] = mark
    return rows


def _numbers(first: int, count: int) -> str:
    """The number of every fifth point, below it; its last digit stands in the point's column."""
    line = [" "] * (_STEP * count)
    for number in range(first, first + count):
        end = _STEP * (number - first) + 2
        text = str(number)
        if number % _EVERY == 0 and end >= len(text):
            line[end - len(text) : end] = text
    return "".join(line)
