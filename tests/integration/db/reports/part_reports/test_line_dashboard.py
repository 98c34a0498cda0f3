"""What Grafana asks for a line, asked as the role for reports, is what the reports say.

Grafana itself is not run: its macros and variables are filled in here as its data source does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import Engine, text

from db.base import table_of
from db.reports.backlog import backlog
from db.reports.part_reports.defect_rate import first_pass
from db.reports.part_reports.filters import PartFilters
from db.reports.part_reports.pareto import pareto
from db.session import engine_for, reading, transaction
from db.tables import ChartBaseline, ChartReaction, ChartSignal
from tests.support.counted_parts import BERLIN, SATURDAY, random_parts, store, usual
from tests.support.database_users import database_users

GRAFANA = Path(__file__).parents[5] / "deploy" / "grafana"
BOARD = json.loads((GRAFANA / "line.json").read_text())
PANELS: dict[str, Any] = {panel["title"]: panel for panel in BOARD["panels"]}
ASKED = [title for title, panel in PANELS.items() if "rawSql" in panel["targets"][0]]
TODAY = "Parts today, by disposition"
VARIABLES = {one["name"]: one for one in BOARD["templating"]["list"]}
LINES, PRODUCTS = ("L1", "L2", ""), ("cable", "plug")
LATELY = timedelta(days=(datetime.now(UTC) - SATURDAY).days - 3)  # variables look at 90 days


@pytest.fixture
def reader(postgresql_url: str) -> Iterator[Engine]:
    owner = engine_for(postgresql_url)
    parts = [replace(one, made_at=one.made_at + LATELY) for one in random_parts(31, 500)]
    store(owner, parts, usual())
    store_signals(owner)
    with database_users(postgresql_url) as users:
        yield users.engine("reports")


def store_signals(owner: Engine) -> None:
    """A signal of a line's chart and one of all lines', with two words on the first."""
    now = datetime.now(UTC)
    words = {"by": "shift", "kind": "p", "rule_set": "default", "frozen_by": "ann", "why": "x"}
    figures = {"n": 0, "rate": 0.1, "sigma_z": 1.0, "subgroups": 20, "parts": 2000}
    times = dict.fromkeys(("from_at", "to_at", "frozen_at"), now)
    baseline = {"product": "cable", "class": "", "left_out": [], **words, **figures, **times}
    times = dict.fromkeys(("starts_at", "ends_at", "raised_at"), now)
    limits = {"value": 0.3, "lower": 0.01, "centre": 0.1, "upper": 0.19}
    signal = {"subgroup": "night", "rule": "beyond_3", "alert_id": 1, **limits, **times}
    said = {"signal_id": 1, "reacted_by": "bob", "reacted_at": now}
    with transaction(owner) as connection:
        for table, rows in (
            (ChartBaseline, [{**baseline, "line": line} for line in ("L1", "", "L2")]),
            (ChartSignal, [{**signal, "baseline_id": number} for number in (1, 2, 3)]),
            (ChartReaction, [{**said, "did": did} for did in ("looked", "new blade")]),
        ):
            connection.execute(table_of(table).insert(), rows)


def filled(query: str, lines: tuple[str, ...], products: tuple[str, ...]) -> str:
    """The SQL that Grafana sends: ranges in UTC, each value of a variable between quotes."""
    ends = datetime.now(UTC)
    begins, last = (f"'{at:%Y-%m-%dT%H:%M:%SZ}'" for at in (ends - timedelta(days=9), ends))
    query = re.sub(r"\$__timeFilter\(([^)]*)\)", rf"\1 BETWEEN {begins} AND {last}", query)
    for name, values in (("line", lines), ("product", products)):
        query = query.replace(f"${name}", ",".join(f"'{value}'" for value in values))
    assert "$" not in query
    return query


def asked(
    reader: Engine,
    title: str,
    lines: tuple[str, ...] = LINES,
    products: tuple[str, ...] = PRODUCTS,
) -> list[dict[str, Any]]:
    """A panel's rows."""
    (target,) = PANELS[title]["targets"]
    with reading(reader) as connection:
        found = connection.execute(text(filled(target["rawSql"], lines, products)))
        return [dict(row) for row in found.mappings()]


def test_every_panel_has_rows_for_one_line_and_for_all(reader: Engine) -> None:
    assert len(ASKED) == len(PANELS) - 1  # the queue's age is Prometheus'
    for title in ASKED:
        assert asked(reader, title, ("L1",), ("cable",)), title
        assert len(asked(reader, title)) >= len(asked(reader, title, ("L1",), ("cable",)))
        nothing = asked(reader, title, ("nowhere",))
        assert all(not value for row in nothing for value in row.values()) or "signals" in title


def test_numbers_of_a_line_are_the_report_s(reader: Engine) -> None:
    single = {
        "Parts": "parts",
        "Defect rate": "rate",
        "First-pass yield": "first_pass_yield",
        "Open": "open",
        "Decided by people": "by_person",
        "Re-inspections": "reinspections",
    }
    for filters, narrowed in (
        (PartFilters(line="L1"), {"lines": ("L1",)}),
        (PartFilters(line="L2", product="plug"), {"lines": ("L2",), "products": ("plug",)}),
    ):
        (row,) = first_pass(reader, filters, (), BERLIN).rows
        for title, name in single.items():
            (found,) = asked(reader, title, **narrowed)
            assert found == {name: pytest.approx(row[name])}, title
        today = {r["disposition"]: r["parts"] for r in asked(reader, TODAY, **narrowed)}
        assert today == {name: row[name] for name in ("conforming", "nonconforming", "open")}


def test_rows_of_a_line_are_the_report_s(reader: Engine) -> None:
    filters = PartFilters(line="L1")
    classes = [dict(row) for row in pareto(reader, filters, (), BERLIN).rows]
    assert asked(reader, "Pareto", ("L1",)) == [pytest.approx(row) for row in classes]
    counts = [(row["class"], row["parts"]) for row in asked(reader, "Defect classes", ("L1",))]
    assert counts == [(row["class"], row["parts"]) for row in classes]
    (total,) = first_pass(reader, filters, (), BERLIN).rows
    quarters = asked(reader, "Parts by the quarter hour", ("L1",))
    assert sum(row["parts"] for row in quarters) == total["parts"]
    assert {row["metric"] for row in quarters} == {"conforming", "nonconforming", "open"}
    assert sum(row["parts"] for row in asked(reader, "Shifts", ("L1",))) == total["parts"]


def test_shifts_have_their_rates_by_line_and_product(reader: Engine) -> None:
    title = "Defect rate by shift, with its 95 % interval and its band"
    rates = asked(reader, title, ("L1",), ("cable",))
    yields = asked(reader, "First-pass yield by shift", ("L1",), ("cable",))
    rows = first_pass(
        reader, PartFilters(line="L1", product="cable"), ("day", "shift"), BERLIN
    ).rows
    names = ("rate", "rate_low", "rate_high", "band_low", "band_high")
    said = sorted(tuple(row[name] for name in (*names, "first_pass_yield")) for row in rows)
    shown = [
        (*(rate[name] for name in names), other["first_pass_yield"])
        for rate, other in zip(rates, yields, strict=True)
    ]
    assert sorted(shown) == [pytest.approx(row) for row in said]
    assert {row["metric"] for row in rates} == {"L1 cable"}
    assert {row["metric"] for row in asked(reader, title)} >= {"L2 plug", "plug"}


def test_open_parts_are_the_backlog_s(reader: Engine) -> None:
    title = "Open parts, and their age"
    for lines, narrowed in ((("L2",), PartFilters(line="L2")), (LINES, PartFilters())):
        report = backlog(reader, narrowed, BERLIN).rows
        found = asked(reader, title, lines)
        for name in ("line", "product", "why", "parts", "oldest_at"):
            assert [row[name] for row in found] == [row[name] for row in report], name
        for row, other in zip(found, report, strict=True):
            assert row["age_s"] == pytest.approx(other["oldest_age_h"] * 3600, abs=60)


def test_signals_are_of_the_line_and_of_all_lines_with_the_last_word(reader: Engine) -> None:
    title = "Latest signals of control charts"
    found = asked(reader, title, ("L1",), ("cable",))
    assert [(row["signal"], row["line"], row["did"]) for row in found] == [
        (2, "all lines", None),
        (1, "L1", "new blade"),
    ]
    assert asked(reader, title, ("L1",), ("plug",)) == []


def test_variables_are_what_there_was_lately(reader: Engine) -> None:
    with reading(reader) as connection:
        lines, products = (
            [(row.__value, row.__text) for row in connection.execute(text(query))]
            for query in (VARIABLES[name]["query"] for name in ("line", "product"))
        )
    assert lines == [("", "(none)"), ("L1", "L1"), ("L2", "L2")]
    assert products == [("cable", "cable"), ("plug", "plug")]
    assert all(VARIABLES[name]["multi"] for name in ("line", "product"))  # or no quotes in IN ()


def sources(found: Any) -> Iterator[tuple[str, str]]:
    """(kind, uid) of every data source that is named somewhere in a dashboard."""
    if isinstance(found, dict):
        if "datasource" in found:
            yield found["datasource"]["type"], found["datasource"]["uid"]
        for value in found.values():
            yield from sources(value)
    elif isinstance(found, list):
        for value in found:
            yield from sources(value)


def test_what_is_provisioned_fits_together() -> None:
    provisioning = GRAFANA / "provisioning"
    (source,) = yaml.safe_load((provisioning / "datasources" / "linewatch.yaml").read_text())[
        "datasources"
    ]
    (provider,) = yaml.safe_load((provisioning / "dashboards" / "linewatch.yaml").read_text())[
        "providers"
    ]
    assert provider["type"] == "file"
    known = {(source["type"], source["uid"])} | {
        (one["query"], f"${{{name}}}")
        for name, one in VARIABLES.items()
        if one["type"] == "datasource"
    }
    assert set(sources(BOARD)) == known
    assert all("datasource" in panel for panel in BOARD["panels"])
    assert len(PANELS) == len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in BOARD["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
