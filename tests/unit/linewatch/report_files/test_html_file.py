"""Reports as pages: parsed, not searched."""

from __future__ import annotations

import re
from datetime import date
from html.parser import HTMLParser

import pytest

from db.reports.report import Cell, Report
from linewatch.plain_text import visible
from linewatch.report_files.formats import file_bytes
from tests.support.reports import HOSTILE, MADE, a_report, hostile_report

RATE = ("rate", "rate_low", "rate_high")
VOID = {"meta", "rect", "line", "circle"}


class Page(HTMLParser):
    """A page's elements in order, with the texts in them."""

    def __init__(self, report: Report) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.source = file_bytes(report, "html", MADE).decode()
        self.feed(self.source)
        self.close()
        assert not self._open, "an element is not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
            self.texts.append((tag, ""))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open:
            tag, before = self.texts[-1]
            self.texts[-1] = (tag, before + data)

    def of(self, tag: str) -> list[str]:
        return [text.strip() for name, text in self.texts if name == tag]

    def tags(self) -> set[str]:
        return {tag for tag, _ in self.elements}


def test_the_page_has_the_report() -> None:
    page = Page(a_report())
    assert page.of("h1") == page.of("title")[:1] == ["Defect rate by parts"]
    assert page.of("p") == ["2026-03-02T06:00+01:00 to 2026-03-02T09:00+01:00"]
    assert page.of("th")[:5] == ["line", "day", "hour", "parts", "rate"]
    assert page.of("td")[:5] == ["L0", "2026-03-02", "2026-03-02T06:00+01:00", "200", "0.00%"]
    assert page.of("li") == ["counted: whole quarter hours"]
    assert page.of("footer") == [
        "defect-rate · made 2026-03-03 07:05 (Europe/Berlin) by Linewatch 0.1.0"
    ]


def test_nothing_in_it_runs_or_is_fetched() -> None:
    for report in (a_report(), hostile_report()):
        page = Page(report)
        assert page.tags() <= {
            "html", "head", "meta", "title", "style", "body", "h1", "p", "figure", "figcaption",
            "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "footer",
            "svg", "rect", "line", "circle", "text",
        }  # fmt: skip
        names = {name for _, attributes in page.elements for name in attributes}
        assert not {name for name in names if name.startswith("on")} | (names & {"src", "href"})
        assert not re.search(r"url\(|@import", page.source)
        policy = [a.get("content") for t, a in page.elements if t == "meta" and "http-equiv" in a]
        assert policy == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_every_text_is_seen_and_none_acts() -> None:
    page = Page(hostile_report())
    assert page.of("td")[::2] == [visible(text).strip() for text in HOSTILE]
    assert page.of("li") == [visible(text).strip() for text in HOSTILE]
    assert page.of("h1") == ["<b>title</b>"]
    assert not set(page.source) & {"\x00", "\x1b", "\u202e"}
    assert Page(a_report(rows=(), empty="<i>none</i>")).of("p")[1:] == ["<i>none</i>"]


def test_it_prints_on_a4_and_repeats_the_header() -> None:
    page = Page(a_report())
    (style,) = page.of("style")
    assert "@page { size: A4 portrait" in style
    assert "thead { display: table-header-group; }" in style
    wide = {f"column_{n}": n for n in range(12)}
    assert "size: A4 landscape" in Page(a_report(wide)).source


def test_rates_are_drawn_with_their_intervals() -> None:
    page = Page(a_report())
    assert page.of("figcaption") == ["Rate, with its 95 % interval."]
    circles = [a for t, a in page.elements if t == "circle"]
    assert len(circles) == 2  # the second row has no rate
    assert "L0 2026-03-02 2…" in page.of("text")


def test_days_are_drawn_line_by_line() -> None:
    rows: list[dict[str, Cell]] = [
        {"line": f"L{line}", "day": date(2026, 3, day), "parts": 9, **dict.fromkeys(RATE, 0.1)}
        for day in range(1, 6)
        for line in range(10)
    ]
    page = Page(a_report(*rows))
    captions = page.of("figcaption")
    assert captions[0] == "Rate, with its 95 % interval (L0)."
    assert captions[7:] == ["Rate, with its 95 % interval (L7; 2 more groups are not drawn)."]
    assert page.of("text")[3:8] == [f"2026-03-0{day}" for day in range(1, 6)]


def test_one_row_has_no_chart() -> None:
    assert "svg" not in Page(a_report(*a_report().rows[:1])).tags()
    assert "svg" not in Page(a_report({"line": "a"}, {"line": "b"})).tags()


def test_a_pareto_has_a_bar_a_class_and_a_chart_a_line() -> None:
    rows = [
        {"line": line, "class": name, "parts": parts, "share": 0.5, "cumulative": share}
        for line, name, parts, share in (
            ("L1", "bent", 30, 0.75), ("L1", "cut", 10, 1.0), ("L2", "cut", 5, 1.0)
        )
    ]  # fmt: skip
    page = Page(a_report(*rows))
    assert [tag for tag, _ in page.elements].count("svg") == 2
    widths = [float(str(a["width"])) for t, a in page.elements if t == "rect"]
    assert widths[0] == pytest.approx(3 * widths[1], abs=0.2)
    assert page.of("text") == ["bent", "30 · 75%", "cut", "10 · 100%", "cut", "5 · 100%"]
    assert page.of("figcaption")[1].endswith("(L2).")


def test_a_pareto_of_many_classes_says_how_many_it_draws() -> None:
    rows = [{"class": f"c{n}", "parts": 1, "share": 0.0, "cumulative": 0.0} for n in range(40)]
    assert Page(a_report(*rows)).of("figcaption")[0].endswith("; 30 of 40 classes are drawn.")
