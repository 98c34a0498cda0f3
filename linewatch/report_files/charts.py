"""Which chart a report has, by its columns. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import takewhile
from typing import Any

from db.reports.report import Cell, Report, plain
from linewatch.report_files.cells import is_share
from linewatch.report_files.svg import Bar, Point, bars, points

_Row = Mapping[str, Cell]
_MOST_BARS, _MOST_POINTS, _MOST_CHARTS = 30, 400, 8
_PARETO = {"class", "parts", "share", "cumulative"}
_RATE = ("rate", "rate_low", "rate_high")
_TIMES = ("quarter", "hour", "day", "week", "month", "shift")
_CONTROL = {"value", "lower", "centre", "upper"}


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture, and the sentence below it."""

    svg: str
    caption: str


def charts_of(report: Report) -> list[Chart]:
    """Bars of a Pareto, points with their intervals of rates, points with limits of control charts.

    One chart a group; where rows are of different times, groups are the others (each line's rate
    day by day). No chart where the columns have none of these, or one row leaves nothing to
    compare.
    """
    columns = set(report.columns)
    if columns >= _PARETO:
        return list(_paretos(report))
    if len(report.rows) < 2:
        return []
    if columns >= _CONTROL:
        return [_control(report)]
    return list(_rates(report)) if columns.issuperset(_RATE) else []


def _paretos(report: Report) -> Iterator[Chart]:
    names = report.columns[: report.columns.index("class")]
    for group, rows in _groups(report, names):
        yield _pareto(report.title, group, rows)


def _groups(report: Report, names: Sequence[str]) -> Iterator[tuple[str, list[_Row]]]:
    """The first groups by these columns, with what they have there, in the rows' order."""
    found: dict[str, list[_Row]] = {}
    for row in report.rows:
        found.setdefault(", ".join(str(plain(row[name])) for name in names), []).append(row)
    for number, (group, rows) in enumerate(found.items(), start=1):
        if number == _MOST_CHARTS < len(found):
            yield f"{group}; {len(found) - number} more groups are not drawn", rows
            return
        yield group, rows


def _pareto(title: str, group: str, rows: Sequence[_Row]) -> Chart:
    shown = rows[:_MOST_BARS]
    drawn = [
        Bar(str(row["class"]), _number(row["parts"]) or 0, f"{row['parts']} · {_total(row)}")
        for row in shown
    ]
    caption = "Parts by class, and the share of nonconforming parts that have it or one above it"
    return Chart(bars(title, drawn), _caption(caption, group, len(shown), len(rows), "classes"))


def _total(row: _Row) -> str:
    share = _number(row["cumulative"])
    return "–" if share is None else f"{share:.0%}"


def _rates(report: Report) -> Iterator[Chart]:
    names = _named(report.columns, report.rows[0])
    times = [name for name in names if name in _TIMES]
    others = [name for name in names if name not in times]
    once = {tuple(row[name] for name in others) for row in report.rows}
    if not times or len(once) == len(report.rows):
        times, others = names, []
    for group, rows in _groups(report, others):
        shown = rows[:_MOST_POINTS]
        figures = [[_number(row[name]) for name in _RATE] for row in shown]
        labels = [_label(times, row) for row in shown]
        drawn = [Point(label, *figure) for label, figure in zip(labels, figures, strict=True)]
        caption = _caption("Rate, with its 95 % interval", group, len(shown), len(rows), "rows")
        yield Chart(points(report.title, drawn), caption)


def _control(report: Report) -> Chart:
    shown = report.rows[-_MOST_POINTS:]
    names = _named(report.columns, report.rows[0])
    drawn = [
        Point(_label(names, row), **{name: _number(row[name]) for name in _CONTROL})
        for row in shown
    ]
    highest = max((point.upper or 0 for point in drawn), default=0)
    caption = "Points, with centre line and control limits; what lies beyond them is red"
    rest = _caption(caption, "", len(shown), len(report.rows), "points")
    return Chart(points(report.title, drawn, share=highest <= 1), rest)


def _named(columns: Sequence[str], row: _Row) -> list[str]:
    """The columns that say what a row is about: texts and dates, up to the first figure."""

    def about(name: str) -> bool:
        return not is_share(name) and isinstance(row[name], str | date)

    return list(takewhile(about, columns))


def _label(names: Sequence[str], row: _Row) -> str:
    return " ".join(str(plain(row[name])) for name in names)


def _number(cell: Cell) -> float | None:
    number: Any = cell
    return None if cell is None else float(number)


def _caption(sentence: str, group: str, shown: int, all_: int, what: str) -> str:
    of = f" ({group})" if group else ""
    rest = "" if shown == all_ else f"; {shown} of {all_} {what} are drawn"
    return f"{sentence}{of}{rest}."
