"""A session that ended leads to the form at the next click, and from there back to the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, update

from console.access import passwords
from console.access.visitor import COOKIE
from db.base import table_of
from db.labels import decisions
from db.people import sessions, users
from db.session import engine_for, transaction
from db.tables import ConsoleSession
from linewatch.settings import Settings
from tests.support.console import console_app, served, token_for
from tests.support.review import PRODUCT, a_product, a_view, commit

pytestmark = pytest.mark.browser


@pytest.fixture
def engine(sqlite_url: str, tmp_path: Path, make_settings: Callable[..., Settings]) -> Engine:
    make_settings(image_roots=[tmp_path])
    engine = engine_for(sqlite_url)
    a_product(engine)
    commit(engine, [a_view("A"), a_view("B", 1)])
    with transaction(engine) as connection:
        hashed = passwords.hashed("right")
        users.add(connection, "ann", "inspector", password_hash=hashed, by="test")
    return engine


@pytest.fixture
def address(engine: Engine, page: Any) -> Iterator[str]:
    with served(console_app(engine)) as address:
        token = token_for(engine, "inspector", "ann")
        page.context.add_cookies([{"name": COOKIE, "value": token, "url": address}])
        page.expected |= {401, 404}  # the request that finds the session over; pictures' files
        yield address


def sign_in(page: Any) -> None:
    page.get_by_role("heading", name="Sign in").wait_for()
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Password").fill("right")
    page.get_by_role("button", name="Sign in").click()


def expired(connection: Connection, token: str) -> None:
    """As the clock does it."""
    t = table_of(ConsoleSession)
    past = datetime.now(UTC) - timedelta(seconds=1)
    changed = update(t).where(t.c.token_sha256 == sessions.sha256(token)).values(expires_at=past)
    assert connection.execute(changed).rowcount == 1


def revoked(connection: Connection, token: str) -> None:
    """As an admin does it."""
    sessions.revoke(connection, sessions.sha256(token))


@pytest.mark.parametrize("end", [expired, revoked])
def test_the_next_click_leads_to_sign_in_and_back(
    end: Callable[[Connection, str], None], engine: Engine, address: str, page: Any
) -> None:
    page.goto(f"{address}/parts")
    page.get_by_label("Serial number, or its beginning").fill("A")
    end_session(page, engine, end)
    page.get_by_role("button", name="Find").click()
    sign_in(page)
    page.get_by_role("link", name="A", exact=True).wait_for()
    assert "q=A" in page.url


def test_a_decision_without_a_session_is_not_lost_unseen(
    engine: Engine, address: str, page: Any
) -> None:
    page.goto(f"{address}/review?product={PRODUCT}&line=L1")
    end_session(page, engine, revoked)
    page.keyboard.press("2")
    sign_in(page)
    page.get_by_role("heading", name="Review").wait_for()
    assert "line=L1" in page.url
    assert decisions.history(engine, PRODUCT) == []
    page.keyboard.press("2")
    page.locator("#open-count", has_text="1").wait_for()
    assert [one.decided_by for one in decisions.history(engine, PRODUCT)] == ["ann"]


def end_session(page: Any, engine: Engine, end: Callable[[Connection, str], None]) -> None:
    (cookie,) = [one for one in page.context.cookies() if one["name"] == COOKIE]
    with transaction(engine) as connection:
        end(connection, cookie["value"])
