"""Labels on single views, and a class of thousands by its name, by keyboard; with htmx 2 and 4."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from console.access.visitor import COOKIE
from db.labels import decisions, labels
from db.session import engine_for
from tests.browser.conftest import VENDOR, serious
from tests.support.console import console_app, served, token_for
from tests.support.review import PRODUCT, a_product, a_view, commit

pytestmark = pytest.mark.browser
MANY = 10_000


@pytest.fixture
def engine(sqlite_url: str) -> Engine:
    return engine_for(sqlite_url)


@pytest.fixture(params=["htmx 2", pytest.param("htmx 4", marks=pytest.mark.slow)])
def address(request: pytest.FixtureRequest, engine: Engine, page: Any) -> Iterator[str]:
    page.expected.add(404)  # pictures' files
    if request.param == "htmx 4":
        fresh = VENDOR / "htmx-4.0.1.min.js"
        page.route("**/vendor/htmx-2*.js", lambda route: route.fulfill(path=fresh))
    with served(console_app(engine)) as address:
        token = token_for(engine, "inspector", "ann")
        page.context.add_cookies([{"name": COOKIE, "value": token, "url": address}])
        yield address
        page.goto("about:blank")


def decided(page: Any, left: int) -> None:
    page.locator("#open-count", has_text=re.compile(f"^{left}$")).wait_for()


def focused(page: Any) -> str:
    return str(page.evaluate("document.activeElement.id"))


def test_a_view_is_labelled_by_keyboard(engine: Engine, address: str, page: Any) -> None:
    a_product(engine)
    first, second = a_view("A", camera="C1"), a_view("A", 1, camera="C2")
    commit(engine, [first, second, a_view("B", 2)])
    page.goto(f"{address}/review")
    page.locator(".review-name", has_text="A").wait_for()
    page.keyboard.press("2")
    decided(page, 1)
    page.keyboard.press("v")
    page.locator(f"#said-{first.id}:focus").wait_for()
    assert serious(page) == []
    page.keyboard.press("b")  # in a list of classes keys choose there: bent, then burnt
    page.keyboard.press("Tab")
    assert focused(page) == f"give-{first.id}"
    page.keyboard.press("Enter")
    page.locator(f"#label-{first.id}", has_text="(ann)").wait_for()
    assert set(labels.latest(engine, PRODUCT)) == {first.id}
    assert len(decisions.history(engine, PRODUCT)) == 1
    page.locator("h1").click()
    page.keyboard.press("u")  # the decision, of which the page knows what came since
    page.get_by_text("taken back").first.wait_for()
    assert len(decisions.history(engine, PRODUCT)) == 2
    assert set(labels.latest(engine, PRODUCT)) == {first.id}

    # Somebody else was first: the form says so, and what holds now.
    page.goto(f"{address}/parts/{PRODUCT}/A")
    form = page.locator(f"#label-{second.id}")
    other = page.context.request.post(
        f"{address}/api/v1/pictures/{second.id}/label",
        data={"said": "burnt", "given": 0},
        headers={"sec-fetch-site": "same-origin"},
    )
    assert other.ok, other.text()
    page.expected.add(409)
    form.get_by_label("Label of this view").select_option("ok")
    form.get_by_role("button", name="Label it").click()
    form.get_by_role("alert").get_by_text("ann labelled this picture 'burnt'").wait_for()
    assert labels.latest(engine, PRODUCT)[second.id] == "burnt"
    form.get_by_role("button", name="Take the label back").click()
    form.get_by_text("not labelled").wait_for()
    assert second.id not in labels.latest(engine, PRODUCT)
    assert serious(page) == []


def test_a_class_of_ten_thousand_by_its_name(engine: Engine, address: str, page: Any) -> None:
    classes = [{"code": f"class-{n:05}", "good": n == 0} for n in range(MANY)]
    a_product(engine, classes=classes)
    commit(engine, [a_view(f"P-{n}", n) for n in range(5)])
    page.goto(f"{address}/review")
    assert page.locator(".choices button").count() == 12
    assert page.evaluate("document.documentElement.outerHTML.length") < 300_000
    page.keyboard.press("/")
    field = page.get_by_role("combobox", name="Class, by a piece of its name")
    page.locator("#class-name:focus").wait_for()
    page.keyboard.type("0777")
    page.locator("#class-name-list [role=option]").first.wait_for()
    assert field.get_attribute("aria-expanded") == "true"
    said = page.locator(f"#{field.get_attribute('aria-activedescendant')}")
    assert said.inner_text() == "class-07770"
    page.locator(".by-name [role=status]", has_text="Classes found: 11").wait_for()
    assert serious(page) == []
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    decided(page, 4)
    assert [one.defect_class for one in decisions.history(engine, PRODUCT)] == ["class-07771"]

    # Its button is at hand from now on, and no other's key has changed.
    assert page.locator(".choices button").count() == 13
    page.locator(".choices button", has_text="class-07771").locator("kbd", has_text="e").wait_for()
    page.keyboard.press("e")
    decided(page, 3)
    # Enter at once takes the first match of what was typed, when the server says which that is.
    page.keyboard.press("/")
    page.keyboard.type("09999")
    page.keyboard.press("Enter")
    decided(page, 2)
    page.keyboard.press("/")
    page.keyboard.type("no such class")
    page.locator(".by-name [role=status]", has_text="No class is called so.").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    assert page.locator("#class-name").input_value() == ""
    found = [one.defect_class for one in decisions.history(engine, PRODUCT)]
    assert found == ["class-07771", "class-07771", "class-09999"]
