"""Models in a browser: promote with a signature, roll back, never on what has changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from console.access import passwords
from console.access.visitor import COOKIE
from db import audit
from db.models import deployments
from db.people import users
from db.session import engine_for, transaction
from tests.browser.conftest import serious
from tests.support.bench import CODES, Bench, few_parts
from tests.support.console import client_of, console_app, served, token_for

pytestmark = pytest.mark.browser


def test_a_version_is_promoted_by_signature_and_rolled_back(
    page: Any, sqlite_url: str, tmp_path: Path
) -> None:
    engine = engine_for(sqlite_url)
    bench = Bench(engine, few_parts(tmp_path))
    for code in CODES:
        bench.pictures(code, 9)
    first = bench.champion()
    for code in CODES:
        bench.pictures(code, 6)
    second = bench.train().manifest.version
    with transaction(engine) as connection:
        hashed = passwords.hashed("right")
        users.add(connection, "eva", "engineer", password_hash=hashed, by="test")
    app = console_app(engine, settings=bench.settings)
    with served(app) as address:
        token = token_for(engine, "engineer", "eva")
        page.context.add_cookies([{"name": COOKIE, "value": token, "url": address}])
        page.goto(f"{address}/models/{second}")
        assert serious(page) == []
        page.get_by_text("Promote this version").click()
        page.get_by_label("Reason").first.fill("better on the new lot")
        page.get_by_label("Your password, again").fill("wrong")
        page.expected.add(400)
        page.get_by_role("button", name="Promote").click()
        page.get_by_text("the password is not yours").wait_for()
        assert deployments.champion(engine, "cable") == first

        page.goto(f"{address}/models/{second}")
        page.get_by_text("Promote this version").click()
        page.get_by_label("Reason").first.fill("better on the new lot")
        page.get_by_label("Your password, again").fill("right")
        page.get_by_role("button", name="Promote").click()
        page.wait_for_url("**/models?product=cable")
        assert deployments.champion(engine, "cable") == second
        assert serious(page) == []

        page.get_by_text(f"Roll back to {first}").click()
        form = page.locator("form[action$=rollback]")
        form.get_by_label("Reason").fill("escapes on line 2")
        form.get_by_label("Your password, again").fill("right")
        form.get_by_role("button", name="Roll back").click()
        page.locator("p", has_text="champion").filter(has_text=first).first.wait_for()
    assert deployments.champion(engine, "cable") == first
    deeds = {deed.action: deed for deed in audit.newest(engine, 20)}
    signature = deeds["model.promote.signed"].detail["signature"]
    assert (signature["meaning"], signature["reason"]) == ("approval", "better on the new lot")
    assert deeds["model.rollback.signed"].actor == "eva"
    assert audit.verify(engine).problem is None

    stale = client_of(app, "engineer", "eva").post(
        f"/models/{second}/promote",
        data={"seen": second, "reason": "x", "meaning": "approval", "password": "right"},
    )
    assert stale.status_code == 409
    assert deployments.champion(engine, "cable") == first
