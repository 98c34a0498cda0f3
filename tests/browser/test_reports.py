"""Reports in a browser: filters in the address, and from a bar to the parts behind it."""

from __future__ import annotations

from datetime import UTC
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import Engine

from console.access.visitor import COOKIE
from db.charts.watch import watch
from db.session import engine_for, reading
from tests.browser.conftest import serious
from tests.support import charts
from tests.support.console import console_app, served, token_for
from tests.support.counted_parts import BERLIN, random_parts, store, usual

pytestmark = pytest.mark.browser


@pytest.fixture
def plant(sqlite_url: str) -> Engine:
    engine = engine_for(sqlite_url)
    store(engine, random_parts(1, 300), usual())
    return engine


def test_from_a_bar_of_the_pareto_to_its_parts(page: Any, plant: Engine) -> None:
    with served(console_app(plant, str(BERLIN))) as address:
        signed_in(page, plant, address)
        page.goto(f"{address}/reports")
        page.get_by_role("link", name="Pareto").click()
        page.get_by_label("since", exact=True).fill("2026-03-20")
        page.get_by_role("button", name="Show").click()
        page.wait_for_url("**since=2026-03-20**")
        assert serious(page) == []
        bars = page.locator(".chart svg path[fill='#0f5c8a']")
        bars.first.wait_for()
        said = page.locator("tbody tr").all_inner_texts()
        parts = {row.split()[0]: int(row.split()[1]) for row in said}
        bars.first.click(force=True)  # what takes the click lies above it
        page.wait_for_url("**/reports/parts**")
        [code] = parse_qs(urlsplit(page.url).query)["class"]
        shown = page.locator("tbody tr").count()
        assert serious(page) == []
    with reading(plant) as connection:
        counted = connection.exec_driver_sql(
            "SELECT count(*) FROM parts WHERE pass_number = 1 AND '+' || classes || '+' LIKE ?",
            (f"%+{code}+%",),
        ).scalar_one()
    assert 0 < shown == counted <= parts[code]


def signed_in(page: Any, engine: Engine, address: str, role: str = "viewer") -> None:
    token = token_for(engine, role)
    page.context.add_cookies([{"name": COOKIE, "value": token, "url": address}])


def test_a_signal_is_answered_where_it_stands(page: Any, sqlite_url: str) -> None:
    engine = engine_for(sqlite_url)
    charts.a_product(engine, "bent")
    charts.store_all(engine, [*charts.steady(), charts.ShiftParts(20, 45)])
    with served(console_app(engine)) as address:
        signed_in(page, engine, address, "engineer")
        page.goto(f"{address}/charts?since=2026-02-01&until=2026-02-08T22:00")
        page.get_by_text("Freeze a baseline").click()
        form = page.locator("details form")
        form.get_by_label("since").fill("2026-02-02T06:00")
        form.get_by_label("until").fill("2026-02-08T22:00")
        form.get_by_label("Why they are held to be in control").fill("a steady week")
        form.get_by_role("button", name="Freeze").click()
        page.get_by_text("limits of the baseline that engineer-of-test froze").wait_for()
        watch(engine, UTC, charts.after(22))
        page.goto(f"{address}/charts")
        page.get_by_label("What was done about it").first.fill("changed the <b>die</b>")
        page.get_by_role("button", name="Keep").first.click()
        page.get_by_text("engineer-of-test: changed the <b>die</b>").wait_for()
        assert serious(page) == []
