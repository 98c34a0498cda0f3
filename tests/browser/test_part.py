"""Finding a part in a browser, and what is known of it."""

from __future__ import annotations

from typing import Any

import pytest

from console.access.visitor import COOKIE
from db.labels import decisions
from db.labels.decisions import NewDecision
from db.session import engine_for
from tests.browser.conftest import serious
from tests.support.committed import committed
from tests.support.console import console_app, served, token_for
from tests.support.review import PRODUCT, a_product, a_view, commit

pytestmark = pytest.mark.browser
HOSTILE = '<img src=x onerror="document.title=1">'


def test_a_part_is_found_and_shown(page: Any, sqlite_url: str) -> None:
    engine = engine_for(sqlite_url)
    a_product(engine)
    names: dict[str, Any] = dict.fromkeys(("line", "camera", "image_uri"), HOSTILE)
    commit(engine, [a_view(f"SN{HOSTILE}", lot="L" * 200, **names), a_view("SN-2", 1)])
    said = NewDecision(PRODUCT, f"SN{HOSTILE}", "bent", HOSTILE, why=HOSTILE)
    committed(engine, decisions.add, [said])
    with served(console_app(engine)) as address:
        cookie = {"name": COOKIE, "value": token_for(engine, "viewer"), "url": address}
        page.context.add_cookies([cookie])
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto(f"{address}/parts")
        page.get_by_label("Serial number, or its beginning").fill("SN")
        page.get_by_role("button", name="Find").click()
        page.get_by_role("link", name="SN-2").wait_for()
        assert serious(page) == []
        page.get_by_role("link", name=f"SN{HOSTILE}").click()
        page.get_by_role("heading", name=f"SN{HOSTILE}").wait_for()
        page.get_by_role("heading", name="What people said").wait_for()
        assert page.title() == f"Part SN{HOSTILE} – Linewatch"
        assert serious(page) == []
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width == 390, "it scrolls sideways"
        page.goto(f"{address}/containment")
        page.get_by_text("There is no model version yet.").wait_for()
        assert serious(page) == []
