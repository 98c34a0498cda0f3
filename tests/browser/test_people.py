"""An admin lets somebody in, who sets a password, signs in with it, and is put out again."""

from __future__ import annotations

from typing import Any

import pytest

from console.access.visitor import COOKIE
from db.session import engine_for
from tests.browser.conftest import serious
from tests.support.console import console_app, served, token_for

pytestmark = pytest.mark.browser
NAME, PASSWORD = "<img src=x onerror=alert(1)>", "a long sentence"


def test_somebody_is_let_in_and_out(page: Any, chromium: Any, sqlite_url: str) -> None:
    engine = engine_for(sqlite_url)
    with served(console_app(engine)) as address:
        session = {"name": COOKIE, "value": token_for(engine, "admin"), "url": address}
        page.context.add_cookies([session])
        page.goto(f"{address}/people")
        users = page.locator("section", has=page.get_by_role("heading", name="Users"))
        users.get_by_label("Name", exact=True).fill(NAME)
        users.get_by_role("button", name="Let in", exact=True).click()
        link = page.locator(".secret").inner_text()

        theirs = chromium.new_context()
        other = theirs.new_page()
        other.goto(link)
        other.get_by_text(NAME).wait_for()
        other.get_by_role("button", name="Sign in").click()
        other.get_by_role("link", name=NAME).click()
        other.get_by_label("New password").fill(PASSWORD)
        other.get_by_label("The same once more").fill(PASSWORD)
        assert serious(other) == []
        other.get_by_role("button", name="Change").click()
        other.get_by_role("heading", name="Another password").wait_for()
        other.get_by_role("button", name="Sign out").click()
        other.get_by_label("Name").fill(NAME)
        other.get_by_label("Password").fill(PASSWORD)
        other.get_by_role("button", name="Sign in").click()
        other.get_by_role("link", name=NAME).wait_for()

        page.get_by_role("link", name="Back to people").click()
        assert serious(page) == []
        page.get_by_role("row", name=NAME).get_by_role("button", name="Disable").click()
        page.get_by_role("row", name=NAME).get_by_text("disabled").wait_for()
        again = theirs.new_page()  # the other one hears of it and loads itself anew
        again.goto(address)
        again.get_by_role("heading", name="Sign in").wait_for()
        theirs.close()
