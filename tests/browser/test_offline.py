"""Every page in a browser that reaches nothing but the console; and no page that axe refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from console.access.visitor import COOKIE
from db.labels import decisions
from db.labels.decisions import NewDecision
from db.session import engine_for
from linewatch.settings import Settings
from tests.browser.conftest import serious
from tests.support import odd_plants
from tests.support.committed import committed
from tests.support.console import console_app, served, token_for
from tests.support.every_page import every_path, query

pytestmark = pytest.mark.browser


@pytest.mark.timeout(600)  # every page, with axe
@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_no_page_needs_anything_from_elsewhere(
    page: Any,
    sqlite_url: str,
    redis_url: str,
    tmp_path: Path,
    make_settings: Callable[..., Settings],
    theme: str,
) -> None:
    make_settings(redis_url=redis_url)
    engine = engine_for(sqlite_url)
    things = odd_plants.without_labels(engine, tmp_path)
    said = NewDecision(things.product, things.part, things.defect_class, "ann")
    committed(engine, decisions.add, [said])
    elsewhere: list[str] = []
    found = {}
    page.expected |= {404}  # pictures' files are not there
    page.emulate_media(color_scheme=theme)
    with served(console_app(engine)) as address:

        def only_the_console(route: Any) -> None:
            if urlsplit(route.request.url).netloc == urlsplit(address).netloc:
                route.continue_()
            else:
                elsewhere.append(route.request.url)
                route.abort()

        page.context.route("**/*", only_the_console)
        token = token_for(engine, "admin")
        page.context.add_cookies([{"name": COOKIE, "value": token, "url": address}])
        for path, _ in every_path(things):
            if path.startswith("/review/seen"):
                path = f"{path}?{query(things)}"
            answer = page.goto(f"{address}{path}")
            assert answer.status == 200, path
            page.locator("main h1, main h2").first.wait_for()
            if complaints := serious(page):
                found[path] = complaints
        page.goto("about:blank")
    assert not elsewhere
    assert not found
