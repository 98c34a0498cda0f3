"""The review page of a product with more classes than there are keys."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from console.pages.review.class_search import matching
from console.pages.review.shelves import Shelf
from db.labels import decisions
from db.session import engine_for
from producer.contract import Verdict
from tests.support.console import client_of, console_app
from tests.support.review import PRODUCT, a_product, a_view, commit

MANY = 10_000
LARGEST = 300_000  # bytes


@pytest.fixture
def engine(sqlite_url: str) -> Engine:
    engine = engine_for(sqlite_url)
    codes = [f"class-{n:05}" for n in range(MANY - 2)]
    classes = [*({"code": code} for code in codes), {"code": "ok", "good": True}, {"code": "Rust"}]
    a_product(engine, classes=classes)
    return engine


@pytest.fixture
def ann(engine: Engine) -> TestClient:
    return client_of(console_app(engine), "inspector", "ann")


def keys(client: TestClient) -> dict[str, str]:
    """The classes with a button, and their keys."""
    found = client.get("/api/v1/review").json()
    assert found["class_count"] == MANY
    return {one["code"]: one["key"] for one in found["classes"]}


def test_ten_thousand_classes_are_a_small_page(engine: Engine, ann: TestClient) -> None:
    found: dict[str, Any] = {"verdict": Verdict.DEFECT, "reason": None}
    often = [a_view(f"D{n}", n, defect_class=f"class-0{n // 2}000", **found) for n in range(3)]
    commit(engine, [*often, *(a_view(f"P{n}", n) for n in range(14))])
    page = ann.get("/review")
    assert (page.status_code, len(page.content) < LARGEST) == (200, True)
    assert len(ann.get("/api/v1/review").content) < LARGEST
    assert 'role="combobox"' in page.text
    had = keys(ann)
    assert list(had)[:3] == ["ok", "class-00000", "class-01000"]  # good, then as often as found
    assert list(had.values()) == list("1234567890qw")

    part = ann.get("/api/v1/review").json()["parts"][0]
    word = {"key": part["key"], "revision": part["revision"], "said": "no such"}
    refused = ann.post("/api/v1/review", json=word)
    assert (refused.status_code, len(refused.content) < 2000) == (400, True)
    # As a browser sends it that has no scripts: what was typed, and no button of a class.
    answer = ann.post("/review/decide", data=word | {"said": "class-07777"})
    assert answer.status_code == 303
    assert keys(ann) == had | {"class-07777": "e"}, "its key is new, and no other's changed"
    part = ann.get("/api/v1/review").json()["parts"][0]
    word = {"key": part["key"], "revision": part["revision"], "said": ["", "class-00000"]}
    shown = ann.post("/review/decide", data=word, headers={"hx-request": "true"})
    assert (shown.status_code, len(shown.content) < LARGEST) == (200, True)
    said = [one.defect_class for one in decisions.history(engine, PRODUCT)]
    assert said == ["class-07777", "class-00000"], "a class's button stands above the empty field"


def test_a_class_is_found_by_a_piece_of_its_name(ann: TestClient) -> None:
    def found(q: str) -> tuple[list[str], bool]:
        said = ann.get("/api/v1/classes", params={"product": PRODUCT, "q": q}).json()
        return [one["code"] for one in said["classes"]], said["more"]

    assert found("rust") == (["Rust"], False)
    assert found("0777")[0][:2] == ["class-07770", "class-07771"]
    assert (len(found("class")[0]), found("class")[1]) == (20, True)
    assert found("nothing like it") == ([], False)
    assert ann.get("/api/v1/classes", params={"product": "plg"}).status_code == 400
    assert client_of(ann.app, "viewer").get("/api/v1/classes?product=plug").status_code == 403


def test_the_best_match_is_the_first() -> None:
    codes = ["deep_cut", "undercut", "cut", "cut_wire", "bent"]
    assert matching(codes, "Cut") == ["cut", "cut_wire", "deep_cut", "undercut"]
    assert matching(codes, "") == codes


def test_a_shelf_keeps_its_places() -> None:
    shelf = Shelf(["ok", "a"])
    for n in range(40):
        shelf.use(f"new-{n}", "ok")
        shelf.use("a", "ok")
    assert shelf.codes[:2] == ["ok", "a"]
    assert len(shelf.codes) == len(set(shelf.codes)) == 23
    assert "new-39" in shelf.codes
