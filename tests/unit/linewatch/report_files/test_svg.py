"""Where the marks of a chart lie."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from linewatch.report_files.svg import Bar, Point, bars, points

SVG = "{http://www.w3.org/2000/svg}"


def marks(svg: str, tag: str) -> list[ET.Element]:
    return list(ET.fromstring(svg).iter(f"{SVG}{tag}"))


def texts(svg: str) -> list[str]:
    return [one.text or "" for one in marks(svg, "text")]


def test_bars_are_as_long_as_their_values() -> None:
    svg = bars("Classes", [Bar("a", 40), Bar("b", 10, "10"), Bar("c", 0)])
    widths = [float(one.get("width", "")) for one in marks(svg, "rect")]
    assert widths[0] == 4 * widths[1]
    assert widths[2] == 0
    assert len(marks(bars("None", [Bar("a", 0)]), "rect")) == 1


def test_points_lie_where_their_values_are() -> None:
    svg = points("Rate", [Point("a", 0.0), Point("b", None), Point("c", 0.04), Point("d", 0.02)])
    low, high, middle = (float(one.get("cy", "")) for one in marks(svg, "circle"))
    assert low > middle > high
    assert middle == pytest.approx((low + high) / 2)
    assert [text for text in texts(svg) if "%" in text] == ["0 %", "1 %", "2 %", "3 %", "4 %"]


def test_everything_is_inside_the_picture() -> None:
    rows = [
        Point(f"{n}", n / 90, n / 100, n / 80, upper=1.2, lower=0, centre=0.5) for n in range(9)
    ]
    root = ET.fromstring(points("Many", rows))
    _, _, width, height = map(float, root.get("viewBox", "").split())
    for mark in root.iter():
        for name, most in (("x", width), ("y", height)):
            for key in (f"c{name}", f"{name}1", f"{name}2", name):
                assert 0 <= float(mark.get(key, "0")) <= most


def test_a_point_beyond_its_limits_stands_out() -> None:
    limits = {"lower": 0.01, "centre": 0.02, "upper": 0.03}
    rows = [Point(str(v), v, **limits) for v in (0.005, 0.02, 0.031)]
    colours = [one.get("fill") for one in marks(points("p", rows), "circle")]
    assert colours[0] == colours[2] != colours[1]
    assert len(marks(points("p", rows), "line")) >= 9


def test_an_axis_without_shares_and_one_without_points() -> None:
    svg = points("g", [Point("1", 250.0), Point("2", 30.0)], share=False)
    assert "300" in texts(svg)
    assert not marks(points("nothing", [Point("1", None)]), "circle")


def test_labels_are_few_short_and_escaped() -> None:
    rows = [Point(f"<b>{'x' * 40}", 0.5) for _ in range(100)]
    labels = [text for text in texts(points("<&>", rows)) if text.startswith("<b>")]
    assert 0 < len(labels) <= 6
    assert labels[0] == "<b>xxxxxxxxxxxx…"
