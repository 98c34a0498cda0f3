"""A key that is pressed while the page's script is still on its way counts once it is there."""

from __future__ import annotations

import re
from typing import Any

import pytest

from console.access.visitor import COOKIE
from db.labels import decisions
from db.session import engine_for
from tests.browser.conftest import VENDOR
from tests.support.console import console_app, served, token_for
from tests.support.review import PRODUCT, a_product, a_view, commit

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("htmx", ["2", "4"])
def test_a_key_before_the_script_listens_counts_once(page: Any, sqlite_url: str, htmx: str) -> None:
    engine = engine_for(sqlite_url)
    a_product(engine)
    commit(engine, [a_view(f"P-{n}", n) for n in range(3)])
    held: list[Any] = []
    page.expected.add(404)  # pictures' files
    page.route("**/static/review.js", lambda route: held.append(route))
    if htmx == "4":
        fresh = VENDOR / "htmx-4.0.1.min.js"
        page.route("**/vendor/htmx-2*.js", lambda route: route.fulfill(path=fresh))
    with served(console_app(engine)) as address:
        token = token_for(engine, "inspector", "ann")
        page.context.add_cookies([{"name": COOKIE, "value": token, "url": address}])
        with page.expect_request("**/static/review.js"):
            page.goto(f"{address}/review", wait_until="commit")
        page.locator(".review-part").wait_for()
        page.get_by_label("Lot", exact=True).press("1")  # typed into a field: no decision
        page.get_by_label("Light or dark").click()
        page.locator("html[data-theme]").wait_for()
        page.keyboard.press("2")
        page.keyboard.press("1")  # of a part that nobody has seen yet
        (route,) = held
        route.continue_()
        page.locator("#open-count", has_text=re.compile("^2$")).wait_for()
        page.get_by_text("The model:").wait_for()
        page.goto("about:blank")
    assert [one.defect_class for one in decisions.history(engine, PRODUCT)] == ["bent"]
