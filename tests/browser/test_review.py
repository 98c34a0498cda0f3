"""Deciding parts in a browser: by keyboard, with undo, two at once, and hostile names."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import Engine

from console.access.visitor import COOKIE
from db.labels import decisions
from db.session import engine_for
from linewatch.settings import Settings
from tests.browser.conftest import serious, watch
from tests.support.console import console_app, served, token_for
from tests.support.pictures import encoded, texture
from tests.support.review import PRODUCT, a_product, a_view, commit

pytestmark = pytest.mark.browser
EARLIER_S = 3600  # so that the hour of the last part is over, and on its chart
HOSTILE = '<img src=x onerror="document.title=1">'


@pytest.fixture
def engine(sqlite_url: str, tmp_path: Path, make_settings: Callable[..., Settings]) -> Engine:
    make_settings(image_roots=[tmp_path])
    engine = engine_for(sqlite_url)
    a_product(engine)
    return engine


def parts(engine: Engine, folder: Path, names: list[str], views: int = 1) -> None:
    """Open parts with a picture's file for each view."""
    made = []
    for n, name in enumerate(names):
        for view in range(views):
            data = encoded(Image.fromarray(texture(320 + n, 240)), "JPEG")
            path = folder / f"{n}-{view}.jpg"
            path.write_bytes(data)
            sha256 = hashlib.sha256(data).hexdigest()
            place = {"image_uri": str(path), "image_sha256": sha256, "camera": f"C{view}"}
            made.append(a_view(name, n - EARLIER_S, lot=f"LOT-{n % 3}", **place))
    commit(engine, made)


def signed_in(page: Any, engine: Engine, address: str, name: str) -> None:
    cookie = {"name": COOKIE, "value": token_for(engine, "inspector", name), "url": address}
    page.context.add_cookies([cookie])
    page.goto(f"{address}/review")


def part_shown(page: Any) -> str:
    return str(page.locator(".review-part").get_attribute("data-part"))


def decided(page: Any, count: int) -> None:
    """Wait until so many parts are open."""
    page.locator("#open-count", has_text=re.compile(f"^{count}$")).wait_for()


def on_chart(page: Any, address: str) -> tuple[int, int, int, str]:
    """Decided parts, nonconforming and open ones of the p-chart's points, and what is drawn."""
    page.goto(f"{address}/charts?product={PRODUCT}&by=hour")
    page.get_by_role("heading", name=f"p – {PRODUCT}").wait_for()
    page.locator(".chart svg").wait_for()
    rows = page.locator("tbody tr").evaluate_all("rows => rows.map(r => r.innerText.split('\\t'))")
    parts, bad, left = (sum(int(row[n]) for row in rows) for n in (1, 2, 3))
    return parts, bad, left, str(page.locator(".chart").get_attribute("data-chart"))


def test_twenty_parts_by_keyboard_and_one_taken_back(
    page: Any, engine: Engine, tmp_path: Path
) -> None:
    parts(engine, tmp_path, [f"P-{n:02}" for n in range(22)])
    with served(console_app(engine)) as address:
        signed_in(page, engine, address, "ann")
        *counted, drawn = on_chart(page, address)
        assert counted == [0, 0, 22]
        page.goto(f"{address}/review")
        assert serious(page) == []
        for n in range(20):
            page.keyboard.press("2" if n % 4 == 0 else "1")
            decided(page, 21 - n)
        assert page.locator("#rate").inner_text() == "25.0 %"
        assert page.locator("#by-person").inner_text() == "20"
        assert len(decisions.history(engine, PRODUCT)) == 20
        page.get_by_text("The model:").wait_for()
        assert serious(page) == []
        last = decisions.history(engine, PRODUCT)
        newest = max(last, key=lambda one: one.decided_at)
        page.keyboard.press("u")
        decided(page, 3)
        assert newest.part in part_shown(page)
        assert page.locator("#by-person").inner_text() == "19"
        page.keyboard.press("3")
        decided(page, 2)
        *counted, drawn_now = on_chart(page, address)
        assert counted == [20, 6, 2]
        assert drawn_now != drawn


def test_keys_are_the_browsers_own(page: Any, engine: Engine, tmp_path: Path) -> None:
    parts(engine, tmp_path, ["A", "B"], views=2)
    with served(console_app(engine)) as address:
        signed_in(page, engine, address, "ann")
        assert page.locator(".view").count() == 2
        page.get_by_text("Keys of this browser").click()
        page.get_by_label("bent", exact=True).fill("g")
        page.get_by_label("ok", exact=True).fill("g")
        page.get_by_role("button", name="Keep").click()
        page.get_by_text("Two of these have the same key.").wait_for()
        page.get_by_label("ok", exact=True).fill("1")
        page.get_by_role("button", name="Keep").click()
        page.reload()
        page.locator(".choices kbd", has_text="g").wait_for()
        page.get_by_label("Every view shows it: label them too").check()
        page.locator("h1").click()
        page.keyboard.press("z")
        page.locator(".zoomable.zoomed").first.wait_for()
        page.keyboard.press("g")
        decided(page, 1)
        assert [one.defect_class for one in decisions.history(engine, PRODUCT)] == ["bent"]
        page.get_by_text("labels on pictures: 2").wait_for()


def test_two_inspectors_on_one_part(page: Any, engine: Engine, tmp_path: Path) -> None:
    parts(engine, tmp_path, ["A"])
    with served(console_app(engine)) as address:
        signed_in(page, engine, address, "ann")
        other = page.context.browser.new_context().new_page()
        watch(other)
        signed_in(other, engine, address, "bob")
        assert part_shown(page) == part_shown(other)
        page.keyboard.press("2")
        decided(page, 0)
        other.keyboard.press("1")
        other.get_by_text("ann called this 'bent' at").wait_for()
        assert [text for text in other.complaints if "status of 409" not in text] == []
        other.keyboard.press("1")  # bob has looked again, and changes it knowingly
        other.get_by_text("Decided last").wait_for()
        other.context.close()
    said = [(one.decided_by, one.disposition) for one in decisions.history(engine, PRODUCT)]
    assert said == [("ann", "nonconforming"), ("bob", "conforming")]


def test_hostile_names_are_text(page: Any, engine: Engine) -> None:
    commit(engine, [a_view(HOSTILE, lot=HOSTILE, line=HOSTILE, camera=HOSTILE, image_uri=HOSTILE)])
    commit(engine, [a_view("B" * 200, 1)])
    with served(console_app(engine)) as address:
        signed_in(page, engine, address, "ann")
        page.keyboard.press("2")
        decided(page, 1)
        page.get_by_text("The model:").wait_for()
        assert HOSTILE in page.locator("#review").inner_text()
        assert page.title() == "Review – Linewatch"
        assert serious(page) == []
