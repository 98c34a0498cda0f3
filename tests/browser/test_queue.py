"""The inbox of dead letters, and alerts, in a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from console.access.visitor import COOKIE
from db import alerts
from db.alerting import seen_to
from db.session import engine_for
from linewatch.settings import Settings
from tests.browser.conftest import serious
from tests.integration.console.test_queue import XSS, a_letter
from tests.support.committed import committed
from tests.support.console import console_app, served, token_for

pytestmark = pytest.mark.browser


@pytest.fixture
def engine(sqlite_url: str, redis_url: str, make_settings: Callable[..., Settings]) -> Engine:
    make_settings(redis_url=redis_url)
    return engine_for(sqlite_url)


@pytest.fixture
def address(engine: Engine, page: Any) -> Iterator[str]:
    with served(console_app(engine)) as address:
        token = token_for(engine, "engineer", "eva")
        page.context.add_cookies([{"name": COOKIE, "value": token, "url": address}])
        yield address


def test_an_engineer_works_through_the_inbox(engine: Engine, address: str, page: Any) -> None:
    numbers = [a_letter(engine) for _ in range(3)]
    page.goto(f"{address}/queue")
    assert serious(page) == []
    page.get_by_label(f"letter {numbers[0]}").check()
    page.get_by_label("What was done about the chosen ones").fill(XSS)
    page.get_by_role("button", name="Mark as addressed").click()
    page.get_by_role("link", name=f"{numbers[0]}", exact=True).wait_for(state="detached")

    page.get_by_role("link", name=f"{numbers[1]}", exact=True).click()
    page.get_by_role("heading", name=f"Dead letter {numbers[1]}").wait_for()
    assert serious(page) == []
    page.get_by_role("button", name="Send it again").click()
    page.get_by_text("addressed", exact=True).wait_for()

    page.goto(f"{address}/queue?state=all")
    page.get_by_text(XSS).first.wait_for()
    page.get_by_role("link", name="…").first.click()
    page.get_by_role("heading", name="A message's trail").wait_for()
    page.get_by_text("dead-lettered").wait_for()
    assert serious(page) == []


def test_an_alert_is_taken_care_of(engine: Engine, address: str, page: Any) -> None:
    raised = {"kind": "drift", "severity": "critical", "line": XSS, "message": XSS}
    committed(engine, alerts.raise_alert, **raised)
    page.goto(f"{address}/alerts")
    assert serious(page) == []
    page.get_by_label("note").fill("lamp is being changed")
    page.get_by_role("button", name="I take care of it").click()
    page.get_by_text("taken care of by eva").wait_for()
    page.get_by_role("button", name="Close it").click()
    page.get_by_text("No such alert").wait_for()
    (alert,) = seen_to.read(engine, state="closed").alerts
    assert (alert.acknowledged_by, alert.closed_by) == ("eva", "eva")
    assert alert.note == "lamp is being changed"
