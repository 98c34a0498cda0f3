"""Pages of reports show what the query objects say, and nothing else."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from urllib.parse import parse_qsl, urlsplit

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from console.pages.charts import chart
from console.pages.reports.catalogue import CATALOGUE
from db.reports.part_reports.defect_rate import defect_rate
from db.reports.part_reports.filters import PartFilters
from db.reports.part_reports.pareto import pareto
from db.session import engine_for
from linewatch.settings import Settings
from tests.support import charts
from tests.support.console import client_of, console_app
from tests.support.counted_parts import BERLIN, SATURDAY, Made, random_parts, store, usual

XSS = '<img src=x onerror="document.title=1">'


def planted(engine: Engine) -> Engine:
    parts = random_parts(1, 300)
    parts += [Made(SATURDAY + timedelta(hours=1), line=XSS, lot=XSS, serial=XSS)]
    store(engine, parts, usual())
    return engine


@pytest.fixture
def plant(sqlite_url: str) -> Engine:
    return planted(engine_for(sqlite_url))


def signed_in(engine: Engine, role: str = "viewer") -> TestClient:
    return client_of(console_app(engine, str(BERLIN)), role)


def test_numbers_are_those_of_the_query_object(plant: Engine) -> None:
    client = signed_in(plant)
    page = client.get("/api/v1/reports/defect-rate?by=line&by=lot").json()
    report = defect_rate(plant, PartFilters(), ["line", "lot"], BERLIN)
    assert page["rows"] == json.loads(json.dumps(report.plain_rows()))

    rows = csv.DictReader(io.StringIO(client.get("/reports/pareto/file.csv?by=").text))
    expected = pareto(plant, PartFilters(), [], BERLIN).rows
    assert [(row["class"], int(row["parts"])) for row in rows] == [
        (row["class"], row["parts"]) for row in expected
    ]


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_report_has_a_page_empty_or_not(plant: Engine, name: str) -> None:
    client = signed_in(plant)
    for query in ("", "?since=2026-03-20&until=2026-04-10", "?since=7d&until=8d", "?line=nowhere"):
        page = client.get(f"/reports/{name}{query}")
        assert page.status_code == 200
        assert "<h1>" in page.text
        assert XSS not in page.text


@pytest.mark.parametrize("ending", ["csv", "json", "parquet", "xlsx", "html"])
def test_a_report_is_a_file_of_each_format(plant: Engine, ending: str) -> None:
    answer = signed_in(plant).get(f"/api/v1/reports/defect-rate/file.{ending}?by=day")
    assert answer.status_code == 200
    assert f'filename="defect-rate.{ending}"' in answer.headers["content-disposition"]
    assert len(answer.content) > 100


def test_what_cannot_be_asked_is_said_beside_the_form(plant: Engine) -> None:
    client = signed_in(plant)
    assert "ends before it begins" in client.get("/reports/trend?since=1d&until=2d").text
    assert "is no time" in client.get("/reports/trend?since=sometime").text
    assert "cannot group by" in client.get("/reports/defect-rate?by=colour").text
    assert "too many to read" in client.get("/reports/defect-rate?by=quarter&since=2025-01-01").text
    missing = client.get("/reports/defect-rat")
    assert missing.status_code == 404
    assert "did you mean" in missing.text
    assert client.get("/reports/trend/file.doc").status_code == 404


def test_the_parts_behind_a_bar_are_all_there_page_by_page(engine: Engine) -> None:
    client = signed_in(planted(engine))
    address = "/api/v1/reports/parts?passes=all&class=cut&since=2026-03-27&until=2026-04-02"
    found: list[dict[str, str]] = []
    after = ""
    while True:
        page = client.get(f"{address}&after={after}").json()
        found += page["parts"]
        if page["next"] is None:
            break
        after = page["next"]
    wanted = [p for p in random_parts(1, 300) if "cut" in p.classes.split("+") and p.serialised]
    assert len(found) == len(wanted)
    assert len({part["part"] for part in found}) == len(found)
    assert all(a["made_at"] >= b["made_at"] for a, b in pairwise(found))


AUTUMN = datetime(2025, 10, 25, 3, 0, tzinfo=UTC)  # the clocks go back in the night to the 26th


@pytest.mark.parametrize("first", [SATURDAY, AUTUMN])
@pytest.mark.parametrize(
    "by",
    [
        *("day", "week", "month", "shift", "hour", "quarter", "model_version", "lot"),
        *("line day", "day shift", "work_order hour"),
    ],
)
def test_as_many_parts_are_listed_behind_a_row_as_it_counts(
    engine: Engine, by: str, first: datetime, make_settings: Callable[..., Settings]
) -> None:
    moved = first - SATURDAY
    parts = [
        replace(one, made_at=one.made_at + moved, serialised=True, serial=f"S{number}")
        for number, one in enumerate(random_parts(2, 90, days=2.5))
    ]
    clocks = first + timedelta(hours=21, minutes=5)  # two hours around the change of the clocks
    parts += [Made(clocks + n * timedelta(minutes=15), serial=f"C{n}") for n in range(8)]
    store(engine, parts, usual())
    settings = make_settings(plant_timezone=str(BERLIN))
    client = client_of(console_app(engine, settings=settings), "viewer")
    groups = "".join(f"&by={name}" for name in by.split())
    since, until = (f"{first + timedelta(hours=n):%Y-%m-%dT%H:%M:%S}Z" for n in (5.2, 50))
    page = client.get(f"/api/v1/reports/defect-rate?since={since}&until={until}{groups}").json()
    assert sum(row["parts"] for row in page["rows"]) > 50
    for row, address in zip(page["rows"], page["addresses"], strict=True):
        assert bool(address) == all(row[name] for name in by.split()), (
            "a row of no lot leads nowhere"
        )
        if address:
            listed = client.get(f"/api/v1{address}").json()
            assert (listed["problem"], len(listed["parts"])) == (None, row["parts"]), row


def test_a_long_list_goes_on_where_it_ended(engine: Engine) -> None:
    client = signed_in(planted(engine))
    first = client.get("/api/v1/reports/parts?passes=all&since=2026-03-01").json()
    assert len(first["parts"]) == 100
    second = client.get(f"/api/v1/reports/parts?{first['more']}").json()
    assert {p["part"] for p in first["parts"]}.isdisjoint(p["part"] for p in second["parts"])
    assert "no place in the list" in client.get("/reports/parts?after=x").text


def test_the_list_escapes_what_producers_wrote(plant: Engine) -> None:
    client = signed_in(plant)
    page = client.get("/reports/parts", params={"line": XSS})
    assert XSS not in page.text
    assert "&lt;img src=x" in page.text
    assert page.text.count("<tbody>") == 1


def test_a_chart_draws_its_newest_points_and_each_leads_to_its_parts(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chart, "_MOST_DRAWN", 3)
    engine = engine_for(sqlite_url)
    charts.a_product(engine, "bent")
    charts.store_all(engine, charts.steady())
    client, asked = signed_in(engine), "since=2026-02-01&until=2026-02-08T22:00"
    page = client.get(f"/api/v1/charts?{asked}").json()
    rows, figure = page["rows"], page["figure"]
    assert len(rows) > 3
    assert (figure["points"], figure["left_out"]) == (rows[-3:], len(rows) - 3)
    told = f"{len(rows) - 3} older points are not drawn"
    assert told in client.get(f"/charts?{asked}").text
    for row in rows:
        said = dict(parse_qsl(urlsplit(row["address"]).query))
        assert datetime.fromisoformat(said["since"]) == datetime.fromisoformat(row["starts"])
        assert datetime.fromisoformat(said["until"]) == datetime.fromisoformat(row["ends"])
        assert said["disposition"] == "nonconforming"
        assert row["label"] == f"{said['first_day']} {said['shift']}"
