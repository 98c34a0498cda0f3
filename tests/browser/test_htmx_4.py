"""The pages work with htmx 4 in place of the 2 that they are served with."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from console.access.visitor import COOKIE
from db import alerts
from db.labels import decisions
from db.people import sessions
from db.session import engine_for, transaction
from linewatch.settings import Settings
from tests.browser.conftest import VENDOR, watch
from tests.integration.console.test_queue import a_letter
from tests.support.committed import committed
from tests.support.console import console_app, served, token_for
from tests.support.review import PRODUCT, a_product, a_view, commit

pytestmark = pytest.mark.browser
HTMX_4 = VENDOR / "htmx-4.0.1.min.js"


@pytest.fixture
def engine(sqlite_url: str, redis_url: str, make_settings: Callable[..., Settings]) -> Engine:
    make_settings(redis_url=redis_url)
    engine = engine_for(sqlite_url)
    a_product(engine)
    return engine


@pytest.fixture
def address(engine: Engine, page: Any) -> Iterator[str]:
    with served(console_app(engine)) as address:
        enter(page, engine, address, "ann")
        yield address
        page.goto("about:blank")


def enter(page: Any, engine: Engine, address: str, name: str) -> None:
    """Sign in, and have htmx 4 served."""
    page.route("**/vendor/htmx-2*.js", lambda route: route.fulfill(path=HTMX_4))
    page.expected.add(404)  # pictures' files
    token = token_for(engine, "engineer", name)
    page.context.add_cookies([{"name": COOKIE, "value": token, "url": address}])


def look(page: Any, address: str) -> None:
    page.goto(address)
    assert page.evaluate("htmx.version").startswith("4.")


def decided(page: Any, left: int) -> None:
    page.locator("#open-count", has_text=re.compile(f"^{left}$")).wait_for()


def test_parts_are_decided_and_undone(engine: Engine, address: str, page: Any) -> None:
    commit(engine, [a_view(f"P-{n}", n) for n in range(3)])
    look(page, f"{address}/review")
    page.keyboard.press("2")
    decided(page, 2)
    page.get_by_text("The model:").wait_for()
    page.keyboard.press("1")
    decided(page, 1)
    page.keyboard.press("u")
    decided(page, 2)
    assert len(decisions.history(engine, PRODUCT)) == 3


def test_two_inspectors_and_a_session_that_ends(engine: Engine, address: str, page: Any) -> None:
    commit(engine, [a_view("A")])
    look(page, f"{address}/review")
    other = page.context.browser.new_context().new_page()
    watch(other)
    enter(other, engine, address, "bob")
    look(other, f"{address}/review")
    page.keyboard.press("2")
    decided(page, 0)
    other.keyboard.press("1")
    other.get_by_role("alert").get_by_text("ann called this 'bent' at").wait_for()
    (cookie,) = [one for one in other.context.cookies() if one["name"] == COOKIE]
    with transaction(engine) as connection:
        sessions.revoke(connection, sessions.sha256(cookie["value"]))
    other.keyboard.press("1")
    other.get_by_role("heading", name="Sign in").wait_for()
    other.context.close()
    assert [one.decided_by for one in decisions.history(engine, PRODUCT)] == ["ann"]


def test_a_refusal_is_said_and_takes_nothing_away(engine: Engine, address: str, page: Any) -> None:
    commit(engine, [a_view("A")])
    look(page, f"{address}/review")
    page.expected.add(400)
    page.locator(".decide button").first.evaluate("button => { button.value = 'no such class' }")
    page.keyboard.press("1")
    page.locator("#said.problem", has_text="no such class").wait_for()
    assert page.locator(".review-part").count() == 1


def test_lists_are_read_again_and_the_inbox_worked_through(
    engine: Engine, address: str, page: Any
) -> None:
    look(page, f"{address}/alerts")
    committed(engine, alerts.raise_alert, kind="drift", severity="critical", message="lamp is dim")
    page.evaluate("document.getElementById('list').dispatchEvent(new Event('refresh'))")
    page.get_by_text("lamp is dim").wait_for()

    number = a_letter(engine)
    look(page, f"{address}/queue")
    with page.expect_response("**/queue?block=now"):
        page.get_by_label(f"letter {number}").check()
    page.get_by_label("What was done about the chosen ones").fill("seen to")
    page.get_by_role("button", name="Mark as addressed").click()
    page.get_by_role("link", name=f"{number}", exact=True).wait_for(state="detached")


def test_tiles_are_live(engine: Engine, address: str, page: Any) -> None:
    commit(engine, [a_view("A")])
    look(page, f"{address}/")
    commit(engine, [a_view("B", camera="C7")])
    page.locator("article.tile", has_text="C7").wait_for()
