"""The lines, live: a tile changes without the page being loaded again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import Any

import pytest
from sqlalchemy import Engine

from console.access.visitor import COOKIE
from db.calendars.ahead import spans_ensured
from db.people import sessions
from db.session import engine_for, transaction
from linewatch.settings import get_settings
from producer.contract import Verdict
from tests.browser.conftest import serious
from tests.integration.console.test_lines import XSS, commit
from tests.support.console import console_app, served, token_for
from tests.support.waiting import until

pytestmark = pytest.mark.browser


@pytest.fixture
def engine(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setenv("LINEWATCH_CAMERA_SILENT_S", "4")
    get_settings.cache_clear()
    engine = engine_for(sqlite_url)
    spans_ensured(engine, UTC)
    yield engine
    get_settings.cache_clear()


@pytest.fixture
def address(engine: Engine, page: Any) -> Iterator[str]:
    """A console, and a viewer who is signed in to it; the page lets the stream go at the end."""
    with served(console_app(engine)) as address:
        token = token_for(engine, "viewer")
        page.context.add_cookies([{"name": COOKIE, "value": token, "url": address}])
        yield address
        page.goto("about:blank")


def test_tiles_change_without_a_load(engine: Engine, address: str, page: Any) -> None:
    commit(engine, ago_s=0)
    commit(engine, ago_s=0, line=XSS, camera=XSS, part=XSS, model_version=XSS)
    page.goto(f"{address}/")
    page.evaluate("document.body.dataset.loaded = 'once'")
    tile = page.locator("article.tile", has_text="C1")
    tile.get_by_text("sending").wait_for()
    assert page.get_by_role("heading", name=XSS, exact=True).count() == 2
    height = tile.bounding_box()["height"]

    # a worker commits
    commit(engine, ago_s=0, verdict=Verdict.DEFECT, defect_class="bent_wire")
    tile.get_by_text("bent_wire").wait_for()
    assert serious(page) == []
    # nothing more comes: the camera falls silent
    tile.get_by_text("silent", exact=True).wait_for()
    page.get_by_text("1 camera silent").first.wait_for()
    assert tile.bounding_box()["height"] == height
    # a new camera appears
    commit(engine, ago_s=0, camera="C2")
    page.locator("article.tile", has_text="C2").get_by_text("sending").wait_for()
    assert page.evaluate("document.body.dataset.loaded") == "once"


def test_the_wall_is_live_and_ends_with_its_session(
    engine: Engine, address: str, page: Any
) -> None:
    commit(engine, ago_s=0)
    page.goto(f"{address}/wall")
    page.locator(".wall-state", has_text="running well").wait_for()
    page.locator(".wall-state", has_text="1 camera silent").wait_for()
    size = "e => parseFloat(getComputedStyle(e).fontSize)"
    assert page.locator(".wall-state").evaluate(size) >= 32
    assert serious(page) == []

    (cookie,) = [one for one in page.context.cookies() if one["name"] == COOKIE]
    with transaction(engine) as connection:
        sessions.revoke(connection, sessions.sha256(cookie["value"]))
    page.get_by_role("heading", name="Sign in").wait_for()


class Proxy:
    """What stands before a console: it answers 502 while the console is away."""

    def __init__(self, app: Any) -> None:
        self.app, self.away, self.refused = app, False, 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def passed(message: Any) -> None:
            if self.away:
                raise ConnectionError("the console behind has ended")
            await send(message)

        if scope["type"] == "http" and self.away:
            self.refused += 1
            await send({"type": "http.response.start", "status": 502, "headers": []})
            await send({"type": "http.response.body", "body": b"bad gateway"})
            return
        await self.app(scope, receive, passed)


def test_a_wall_goes_on_once_the_console_behind_a_proxy_is_back(engine: Engine, page: Any) -> None:
    commit(engine, ago_s=0)
    proxy = Proxy(console_app(engine))
    with served(proxy) as address:  # type: ignore[arg-type]
        token = token_for(engine, "viewer")
        page.context.add_cookies([{"name": COOKIE, "value": token, "url": address}])
        page.goto(f"{address}/wall")
        page.locator(".wall-state", has_text="running well").wait_for()
        proxy.away = True
        page.get_by_text("The console does not answer").wait_for()
        until(lambda: proxy.refused >= 2)
        proxy.away = False
        page.locator(".wall-state", has_text="1 camera silent").wait_for()
        page.get_by_text("The console does not answer").wait_for(state="hidden")
        page.goto("about:blank")
        page.complaints.clear()  # of what was away
