"""A page carries its chart's points column by column; none is lost, nothing breaks out."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

from console.drawing import DrawnPoint, drawing


class Bar(DrawnPoint):
    drawn = ("label", "value")
    label: str
    value: float | None


def read(text: str) -> list[dict[str, Any]]:
    """As `static/charts.js` does."""
    said = json.loads(text)
    columns: dict[str, list[Any]] = said["columns"]
    begin = said["begin"]
    return [
        {name: values[at] for name, values in columns.items()} | {"address": begin + rest}
        for at, rest in enumerate(columns["address"])
    ]


def test_every_point_has_its_address_again() -> None:
    ends = ("a&since=1", "a&since=2", "b", "")
    bars = [Bar(label=end, value=None, address=f"/parts?x={end}") for end in ends]
    assert read(drawing("rates", bars)) == [bar.model_dump() for bar in bars]
    assert read(drawing("rates", bars[:1])) == [bars[0].model_dump()]
    assert json.loads(drawing("rates", bars[:2]))["begin"] == "/parts?x=a&since="
    nowhere = [Bar(label="", value=0.5, address=""), bars[0]]
    assert [one["address"] for one in read(drawing("rates", nowhere))] == ["", bars[0].address]


def test_no_name_ends_the_attribute_it_stands_in() -> None:
    odd = """'"><script>alert(1)</script>&amp;"""
    seen: list[str | None] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag == "div"
            seen.append(dict(attrs)["data-chart"])

    point = Bar(label=odd, value=1.0, address=f"/parts?line={odd}")
    Reader().feed(f"<div data-chart='{drawing('pareto', [point])}'></div>")
    assert read(str(seen[0])) == [point.model_dump()]
