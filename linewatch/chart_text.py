"""A control chart as lines of text, for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linewatch.text_plot import LEGEND, POINT, PROVISIONAL, SIGNAL, PlotPoint, plot

if TYPE_CHECKING:
    from db.charts.points import ChartPoint
    from db.charts.view import ChartView

_MOST_POINTS = 60
_NAMES = {"p": "p chart", "laney_p": "Laney p' chart", "g": "g chart"}


def title(view: ChartView) -> str:
    """What is drawn, in a line."""
    what = "good parts between nonconforming ones" if view.kind == "g" else "share nonconforming"
    return f"{_NAMES[view.kind]} of {view.chart}: {what}"


def chart_lines(view: ChartView, width: int) -> list[str]:
    """The plot, what its numbers mean, its signals and notes."""
    marked = [_plotted(one) for one in view.points]
    label = whole if view.kind == "g" else percent
    drawn = plot(marked, label, width=min(width, 2 * _MOST_POINTS + 10))
    lines = [title(view), *drawn, LEGEND] if drawn else [title(view)]
    if drawn:
        first, last = view.points[0].name, view.points[-1].name
        lines.append(f"1: {first}   {len(view.points)}: {last}")
    for number, one in enumerate(view.points, start=1):
        lines += [
            f"{SIGNAL} {number}: {one.name}: {label(one.value or 0)}, {rule.says}"
            for rule in one.signals
        ]
        if one.raised and not one.signals:
            lines.append(
                f"  {number}: {one.name}: raised {', '.join(one.raised)}; is none any more, as its "
                "parts were decided otherwise since"
            )
    return [*lines, *view.notes]


def _plotted(point: ChartPoint) -> PlotPoint:
    mark = SIGNAL if point.signals else PROVISIONAL if point.provisional else POINT
    limits = point.limits
    if limits is None:
        return PlotPoint(point.value, mark=mark)
    return PlotPoint(point.value, limits.lower, limits.centre, limits.upper, mark)


def percent(value: float) -> str:
    """'1.2%'."""
    return f"{value:.1%}"


def whole(value: float) -> str:
    """'12'."""
    return f"{value:.0f}"
