"""Signing in, in a browser."""

from __future__ import annotations

from typing import Any

import pytest

from console.access import passwords
from db.people import users
from db.session import engine_for, transaction
from tests.browser.conftest import serious
from tests.support.console import console_app, served

pytestmark = pytest.mark.browser


def test_a_person_signs_in(page: Any, sqlite_url: str) -> None:
    engine = engine_for(sqlite_url)
    with transaction(engine) as connection:
        users.add(connection, "ida", "viewer", password_hash=passwords.hashed("right"), by="test")
    with served(console_app(engine)) as address:
        page.goto(f"{address}/")
        assert serious(page) == []
        page.get_by_label("Name").fill("ida")
        page.get_by_label("Password").fill("right")
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", name="Lines").wait_for()
        assert serious(page) == []
        page.get_by_role("button", name="Deutsch").click()
        page.get_by_role("heading", name="Linien").wait_for()
        page.get_by_role("button", name="Abmelden").click()
        page.get_by_role("heading", name="Anmelden").wait_for()
