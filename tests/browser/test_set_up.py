"""A product set up in a browser, on a real Redis, worker and trainer, and its first verdicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from console.access import passwords
from db import audit
from db.people import keys, users
from db.session import engine_for, transaction
from linewatch.plant import Plant, environment, start_plant
from linewatch.services import ServiceGroup, free_port
from linewatch.settings import Settings
from producer.simulator import SimulatedLine
from producer.simulator.save import save
from tests.browser.conftest import serious, with_scripts
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]
PASSWORD = "a long sentence"


@pytest.fixture
def plant(
    tmp_path: Path, sqlite_url: str, make_settings: Callable[..., Settings]
) -> Iterator[Plant]:
    uploads = tmp_path / "uploads"
    products = tmp_path / "products"
    products.mkdir()
    settings = make_settings(image_roots=[uploads], upload_dir=uploads, products_dir=products)
    with ServiceGroup(tmp_path / "logs", environment(settings)) as group:
        yield start_plant(group, settings, flower_port=free_port(), console_port=free_port())


def pictures(folder: Path, name: str, count: int) -> list[Path]:
    """Simulated cables of one class, half as large: the test waits for each."""
    line = SimulatedLine(seed=len(name), mix={name: 1.0})
    found = []
    for number, part in enumerate(line.parts(count)):
        path = folder / f"{name}-{number}.png"
        save(part.pixels[::2, ::2].copy(), path)
        found.append(path)
    return found


def test_a_product_is_set_up_from_good_pictures_and_judges(
    page: Any, plant: Plant, sqlite_url: str, tmp_path: Path
) -> None:
    page.set_default_timeout(120_000)
    engine = engine_for(sqlite_url)
    with transaction(engine) as connection:
        hashed = passwords.hashed(PASSWORD)
        users.add(connection, "eva", "engineer", password_hash=hashed, by="test")
    shown = pictures(tmp_path, "good", 32)
    page.goto(f"{plant.console_url}/products")
    page.get_by_label("Name").fill("eva")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()

    page.get_by_label("Code, as cameras say it").fill("cord")
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("heading", name="1. What it is").wait_for()
    with_scripts(page)
    assert serious(page) == []
    page.locator("#roi-file").set_input_files(shown[0])
    page.wait_for_function("document.querySelector('#roi img').naturalWidth > 0")
    page.locator("#roi").scroll_into_view_if_needed()
    drawn = page.locator("#roi").bounding_box()
    page.mouse.move(drawn["x"] + 0.05 * drawn["width"], drawn["y"] + 0.05 * drawn["height"])
    page.mouse.down()
    page.mouse.move(drawn["x"] + 0.95 * drawn["width"], drawn["y"] + 0.95 * drawn["height"])
    page.mouse.up()
    assert float(page.get_by_label("Width").input_value()) == pytest.approx(0.9, abs=0.02)
    with page.expect_navigation():
        page.get_by_role("button", name="Save", exact=True).click()
    assert "roi:" in (tmp_path / "products" / "cord.yaml").read_text()

    page.locator("#files").set_input_files(shown[:30])
    page.get_by_text("Handed over: 30/30").wait_for()
    page.get_by_text("30 of 30 good pictures").wait_for()
    page.get_by_role("button", name="Label these and train").click()
    page.get_by_text("trained", exact=True).wait_for()
    page.reload()
    page.get_by_text("Promote …").click()
    page.get_by_label("Reason").fill("thirty good parts, a first model")
    page.get_by_label("Your password, again").fill(PASSWORD)
    assert serious(page) == []
    page.get_by_role("button", name="Sign and promote").click()
    page.get_by_text("serves", exact=True).wait_for()
    deeds = {deed.action: deed for deed in audit.newest(engine)}
    assert (
        deeds["model.promote.signed"].detail["signature"]["reason"].startswith("thirty good parts")
    )

    judged = verdict_of(plant, sqlite_url, shown[31])
    assert judged["model_version"] is not None
    assert judged["verdict"] in ("pass", "review")


def verdict_of(plant: Plant, url: str, picture: Path) -> dict[str, Any]:
    """Hand a picture over as a camera would, until a model has judged one."""
    from datetime import timedelta

    with transaction(engine_for(url)) as connection:
        day = timedelta(days=1)
        scope = [("L1", "C1")]
        key = keys.make(connection, "camera", "inspector", lasts=day, by="test", scope=scope)
    where = {"product": "cord", "line": "L1", "camera": "C1"}
    found: dict[str, Any] = {}

    def judged() -> bool:
        answer = client.post("/api/v1/inspections", params=where, content=picture.read_bytes())
        address = answer.headers["location"]
        until(lambda: client.get(address).json()["state"] == "done")
        found.update(client.get(address).json())
        return found["model_version"] is not None

    headers = {"authorization": f"Bearer {key}", "content-type": "image/png"}
    with httpx.Client(base_url=plant.console_url or "", headers=headers) as client:
        until(judged, 60)
    return found
