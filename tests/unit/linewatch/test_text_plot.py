"""A chart as text."""

from __future__ import annotations

from linewatch.text_plot import PROVISIONAL, SIGNAL, PlotPoint, fitting, plot


def percent(value: float) -> str:
    return f"{value:.0%}"


def point(value: float | None, mark: str = "*") -> PlotPoint:
    return PlotPoint(value, 0.0, 0.1, 0.2, mark)


def test_points_limits_and_marks_lie_where_their_values_are() -> None:
    points = [point(0.1), point(0.0), point(0.15), point(0.4, SIGNAL), point(None)]
    points += [point(0.2, PROVISIONAL), PlotPoint(0.3)]
    assert plot(points, percent, height=9) == [
        "40% |       X",
        "    |",
        "    |             *",
        "    |",
        "20% | - - - - - o",
        "    |     *",
        "    | * . . . . .",
        "    |",
        " 0% | - * - - - -",
        "    +--------------",
        "              5",
    ]


def test_the_latest_points_are_drawn_and_keep_their_numbers() -> None:
    earlier = [point(0.9)]  # which is not drawn, and not in the scale
    lines = plot([*earlier, *(point(n / 100) for n in range(19))], percent, width=26, height=5)
    assert lines[0] == "20% | - - - - - - - - - *"
    assert fitting(26, 3) == 10
    assert lines[-1] == "             15        20"
    assert max(map(len, lines)) <= 26
    (narrow, *_) = plot([point(0.1), point(0.2)], percent, width=3, height=5)
    assert narrow == "20% | *", "one point at least"


def test_values_that_are_all_alike_have_a_scale() -> None:
    assert plot([PlotPoint(0.0)] * 2, percent, height=3) == [
        "100% |",
        " 50% |",
        "  0% | * *",
        "     +----",
        "",
    ]
    assert plot([PlotPoint(5.0)], lambda value: f"{value:.0f}", height=2)[:2] == ["5 | *", "0 |"]


def test_without_a_value_there_is_no_plot() -> None:
    assert plot([], percent) == []
    assert plot([point(None)], percent) == []
