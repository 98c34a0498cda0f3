"""Pictures that were inspected before are picked for a product by mouse and by keys."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from console.access.visitor import COOKIE
from db import products
from db.inspections.inspections import commit_inspections
from db.labels import labels
from db.session import engine_for, transaction
from linewatch.products import parse_product
from linewatch.settings import Settings
from producer.uuid7 import uuid7
from tests.browser.conftest import serious
from tests.support.console import console_app, served, token_for
from tests.support.pictures import encoded, texture
from tests.support.records import a_record
from vision.decode import digest

pytestmark = pytest.mark.browser


def test_a_range_is_picked_by_mouse_and_another_by_keys(
    page: Any, sqlite_url: str, tmp_path: Path, make_settings: Callable[..., Settings]
) -> None:
    make_settings(image_roots=[tmp_path], upload_dir=tmp_path, redis_url="redis://127.0.0.1:1/0")
    engine = engine_for(sqlite_url)
    classes = [{"code": "good", "good": True}, {"code": "bent"}]
    with transaction(engine) as connection:
        spec = parse_product({"product": "plug", "classes": classes}, source="test")
        products.register(connection, spec)
    ids = []
    for number in range(20):
        data = encoded(Image.fromarray(texture(64, 64, number)), "PNG")
        path = tmp_path / f"{number}.png"
        path.write_bytes(data)
        at = datetime.now(UTC) - timedelta(minutes=number)
        times = {"decided_at": at, "captured_at": at, "enqueued_at": at, "part": f"P{number}"}
        file = {"image_uri": str(path), "image_sha256": digest(data)}
        record = a_record(id=uuid7(), product="plug", **times, **file)
        commit_inspections(engine, [record], UTC)
        ids.append(record.id)
    with served(console_app(engine)) as address:
        cookie = {"name": COOKIE, "value": token_for(engine, "engineer"), "url": address}
        page.context.add_cookies([cookie])
        page.goto(f"{address}/products/plug")
        page.get_by_role("link", name="Pick pictures that were inspected before").click()
        page.get_by_label("Line", exact=True).fill("L1")
        page.get_by_label("since").fill("24h")
        page.get_by_role("button", name="Show").click()
        page.wait_for_url("**line=L1*")
        assert serious(page) == []
        count = page.locator("#count")
        thumbs = page.locator(".thumb")
        thumbs.nth(0).click()
        thumbs.nth(3).click(modifiers=["Shift"])
        assert count.inner_text() == "4 chosen"
        thumbs.nth(2).click()
        assert count.inner_text() == "3 chosen"
        page.get_by_role("button", name="Add the chosen ones").click()
        page.get_by_text("Labelled: 3").wait_for()
        assert "line=L1" in page.url, "what the list was narrowed to stays"
        assert labels.latest(engine, "plug") == dict.fromkeys([ids[0], ids[1], ids[3]], "good")
        by_keys(page, count)
        page.get_by_text("Labelled: 6").wait_for()
        bent = [id_ for id_, label in labels.latest(engine, "plug").items() if label == "bent"]
        assert sorted(bent) == sorted(ids[4:10])
        assert serious(page) == []
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") == 390, "it scrolls sideways"


def by_keys(page: Any, count: Any) -> None:
    """Tick the fifth picture to the tenth without a mouse, and add them."""
    page.locator("select[name=shows]").select_option("bent")
    page.locator("input[name=chosen]").first.focus()
    page.keyboard.press("Control+a")
    assert count.inner_text() == "20 chosen"
    page.keyboard.press("Escape")
    assert count.inner_text() == "0 chosen"
    wide = page.evaluate(
        "new Set([...document.querySelectorAll('.thumb')].map((one) => one.offsetLeft)).size"
    )
    assert wide > 4
    page.keyboard.press("ArrowDown")
    for _ in range(wide - 4):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Space")
    assert count.inner_text() == "1 chosen"
    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")
    assert count.inner_text() == "4 chosen"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+Space")
    assert count.inner_text() == "6 chosen"
    page.keyboard.press("Enter")
