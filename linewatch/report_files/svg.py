"""Charts as SVG that stands inside a page: bars, and points with their limits. Pure.

No script, no style sheet, no font of its own; every text is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import floor, log10

from linewatch.plain_text import visible

_WIDTH = 720
_LABEL_WIDTH, _NOTE_WIDTH = 200, 150
_BAR, _GAP = 16, 6
_HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 260, 56, 16, 12, 40
_MOST_LABELS = 6
_INK, _FILL, _GRID, _LIMIT = "#1f2933", "#3b6ea5", "#d5dbe1", "#b3402a"


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: `value` from 0 up, and what is written behind it."""

    label: str
    value: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a row of points; None where there is none.

    Attributes:
        low: of the interval that is drawn through the point.
        lower: control limit; drawn as steps through all points, and so are the two below.
    """

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    lower: float | None = None
    centre: float | None = None
    upper: float | None = None

    @property
    def outside(self) -> bool:
        """Whether it lies beyond its control limits."""
        if self.value is None:
            return False
        below = self.lower is not None and self.value < self.lower
        return below or (self.upper is not None and self.value > self.upper)


def bars(title: str, rows: Sequence[Bar]) -> str:
    """One bar below the other, in the order given."""
    most = max((row.value for row in rows), default=0) or 1
    room = _WIDTH - _LABEL_WIDTH - _NOTE_WIDTH
    marks = []
    for place, row in enumerate(rows):
        y = place * (_BAR + _GAP) + _GAP
        length = room * row.value / most
        middle = y + _BAR / 2 + 4
        marks += [
            _text(_LABEL_WIDTH - 8, middle, _short(row.label, 28), anchor="end"),
            f'<rect x="{_LABEL_WIDTH}" y="{y}" width="{length:.1f}" height="{_BAR}" '
            f'fill="{_FILL}"/>',
            _text(_LABEL_WIDTH + length + 6, middle, row.note),
        ]
    return _picture(title, len(rows) * (_BAR + _GAP) + _GAP, marks)


def points(title: str, rows: Sequence[Point], *, share: bool = True) -> str:
    """Points from left to right, evenly spaced, on an axis that begins at 0.

    Args:
        title: what is shown, for those who cannot see it.
        rows: in order.
        share: values are shares, and the axis shows per cent.
    """
    axis = _Axis(_most(rows), len(rows), share)
    marks = [*_grid(axis), *_limits(axis, rows)]
    for place, row in enumerate(rows):
        if row.value is None:
            continue
        x = axis.x(place)
        if row.low is not None and row.high is not None:
            marks.append(_line(x, axis.y(row.low), x, axis.y(row.high), _FILL))
        colour = _LIMIT if row.outside else _INK
        marks.append(f'<circle cx="{x:.1f}" cy="{axis.y(row.value):.1f}" r="3" fill="{colour}"/>')
    step = -(-len(rows) // _MOST_LABELS) or 1
    marks += [
        _text(axis.x(place), _HEIGHT - 20, _short(rows[place].label, 16), anchor="middle")
        for place in range(0, len(rows), step)
    ]
    return _picture(title, _HEIGHT, marks)


class _Axis:
    """Where values and places lie in a picture."""

    def __init__(self, most: float, count: int, share: bool) -> None:
        self.step = _round_step(most / 4)
        self.top = self.step * max(1, -int(-most // self.step))
        self._count, self._share = count, share

    def x(self, place: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (place + 0.5) / max(1, self._count)

    def y(self, value: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - value / self.top)

    def words(self, value: float) -> str:
        return f"{100 * value:.4g} %" if self._share else f"{value:.4g}"


def _most(rows: Sequence[Point]) -> float:
    every = (value for row in rows for value in (row.value, row.high, row.upper))
    return max((value for value in every if value is not None), default=0) or 1


def _round_step(step: float) -> float:
    """The least of 1, 2, 5 times a power of ten that is not below `step`."""
    power = 10.0 ** floor(log10(step))
    return power * next(times for times in (1, 2, 5, 10) if times * power >= step * (1 - 1e-9))


def _grid(axis: _Axis) -> Iterable[str]:
    for number in range(round(axis.top / axis.step) + 1):
        value = number * axis.step
        y = axis.y(value)
        yield _line(_LEFT, y, _WIDTH - _RIGHT, y, _GRID)
        yield _text(_LEFT - 6, y + 4, axis.words(value), anchor="end")


def _limits(axis: _Axis, rows: Sequence[Point]) -> Iterable[str]:
    for place, row in enumerate(rows):
        ends = axis.x(place - 0.5), axis.x(place + 0.5)
        for value, colour in ((row.lower, _LIMIT), (row.centre, _INK), (row.upper, _LIMIT)):
            if value is not None:
                yield _line(ends[0], axis.y(value), ends[1], axis.y(value), colour)


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        'stroke-width="1.2"/>'
    )


def _text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{_INK}">'
        f"{escape(visible(words))}</text>"
    )


def _short(label: str, most: int) -> str:
    return label if len(label) <= most else f"{label[: most - 1]}…"


def _picture(title: str, height: float, marks: Iterable[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        'font-family="sans-serif" font-size="12">'
        f"<title>{escape(visible(title))}</title>{''.join(marks)}</svg>"
    )
