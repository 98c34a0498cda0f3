"""A label on one view: models learn from it, and what the part was decided to be stands."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from db import audit
from db.inspections.records import InspectionRecord
from db.labels import decisions, labels
from db.session import engine_for
from producer.contract import Verdict
from tests.support.console import client_of, console_app
from tests.support.review import PRODUCT, a_product, a_view, commit

HTMX = {"hx-request": "true"}


@pytest.fixture
def engine(database_url: str) -> Engine:
    engine = engine_for(database_url)
    a_product(engine)
    return engine


@pytest.fixture
def ann(engine: Engine) -> TestClient:
    return client_of(console_app(engine), "inspector", "ann")


@pytest.fixture
def views(engine: Engine) -> list[InspectionRecord]:
    """Two views of an open part."""
    found = [a_view("P1", camera="C1"), a_view("P1", 1, camera="C2")]
    commit(engine, found)
    return found


def decide(client: TestClient, said: str = "bent") -> tuple[str, str]:
    """Decide the first part; its key, and what the page shows then."""
    part = client.get("/api/v1/review").json()["parts"][0]
    word = {"key": part["key"], "revision": part["revision"], "said": said}
    answer = client.post("/review/decide", data=word, headers=HTMX)
    assert answer.status_code == 200
    return part["key"], answer.text


def label(client: TestClient, view: InspectionRecord, said: str, given: int) -> Any:
    address = f"/api/v1/pictures/{view.id}/label"
    return client.post(address, json={"said": said, "given": given})


def test_a_view_is_labelled_after_the_decision(
    engine: Engine, ann: TestClient, views: list[InspectionRecord]
) -> None:
    key, page = decide(ann)
    for view in views:
        assert f'action="/pictures/{view.id}/label"' in page
    assert labels.latest(engine, PRODUCT) == {}, "of two views nobody said which shows it"
    sent = {"said": "burnt", "given": "0", "part": key}
    shown = ann.post(f"/pictures/{views[1].id}/label", data=sent, headers=HTMX)
    assert "<strong>burnt</strong> (ann)" in shown.text
    assert labels.latest(engine, PRODUCT) == {views[1].id: "burnt"}
    (decision,) = decisions.history(engine, PRODUCT)
    assert decision.defect_class == "bent", "the decision stands"
    deed = next(one for one in audit.newest(engine) if one.action == "label.change")
    assert (deed.actor, deed.detail) == ("ann", {"old": None, "new": "burnt"})

    # Undo takes the decision back, and says by itself which revision it has by now.
    revision = shown.text.split('name="revision" value="')[1].split('"')[0]
    back = {"key": key, "revision": revision}
    assert ann.post("/api/v1/review/undo", json=back).status_code == 200
    assert ann.get("/api/v1/review").json()["open"] == 0, "a labelled view says it is burnt"
    assert labels.latest(engine, PRODUCT) == {views[1].id: "burnt"}, "the label stands"


def test_undo_leaves_a_label_that_came_later(
    engine: Engine, ann: TestClient, views: list[InspectionRecord]
) -> None:
    part = ann.get("/api/v1/review").json()["parts"][0]
    word = {"key": part["key"], "revision": part["revision"], "said": "bent", "teach": "all"}
    assert ann.post("/api/v1/review", json=word).json()["labels"] == 2
    assert label(ann, views[0], "ok", 1).json()["given"] == 2
    revision = ann.get("/api/v1/review", params={"part": part["key"]}).json()["parts"][0]
    back = {"key": part["key"], "revision": revision["revision"]}
    assert ann.post("/api/v1/review/undo", json=back).status_code == 200
    assert labels.latest(engine, PRODUCT) == {views[0].id: "ok"}


def test_nobody_overwrites_another_persons_label(
    engine: Engine, ann: TestClient, views: list[InspectionRecord]
) -> None:
    decide(ann)
    bob = client_of(ann.app, "inspector", "bob")
    assert label(bob, views[0], "burnt", 0).status_code == 200
    late = label(ann, views[0], "ok", 0)
    assert (late.status_code, "bob labelled this picture 'burnt' at 20" in late.text) == (409, True)
    sent = {"said": "ok", "given": "0"}
    shown = ann.post(f"/pictures/{views[0].id}/label", data=sent, headers=HTMX)
    assert (shown.status_code, 'name="given" value="1"' in shown.text) == (409, True)
    plain = ann.post(f"/pictures/{views[0].id}/label", data=sent)
    assert (plain.status_code, "bob labelled" in plain.text) == (409, True)
    assert labels.latest(engine, PRODUCT) == {views[0].id: "burnt"}


def test_a_label_is_taken_back(
    engine: Engine, ann: TestClient, views: list[InspectionRecord]
) -> None:
    decide(ann)
    nothing = label(ann, views[0], "", 0)
    assert (nothing.status_code, "nothing to take back" in nothing.text) == (400, True)
    label(ann, views[0], "burnt", 0)
    # A browser's form: the list's value, then the button's.
    sent = {"said": ["burnt", ""], "given": "1"}
    answer = ann.post(f"/pictures/{views[0].id}/label", data=sent)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/parts/{PRODUCT}/P1")
    assert labels.latest(engine, PRODUCT) == {}
    wrong = label(ann, views[0], "no such", 2)
    assert (wrong.status_code, "has no class" in wrong.text) == (400, True)


def test_who_may_label_what(engine: Engine, ann: TestClient, views: list[InspectionRecord]) -> None:
    early = label(ann, views[0], "burnt", 0)
    assert (early.status_code, "decide it first" in early.text) == (400, True)
    assert label(client_of(ann.app, "viewer"), views[0], "burnt", 0).status_code == 403
    assert label(ann, a_view("P9"), "burnt", 0).status_code == 404


def test_a_label_on_a_part_that_the_model_decided(engine: Engine, ann: TestClient) -> None:
    sure: dict[str, Any] = {"verdict": Verdict.PASS, "reason": None, "defect_class": "ok"}
    view = a_view("P1", **sure)
    commit(engine, [view])
    page = ann.get(f"/parts/{PRODUCT}/P1").text
    assert f'action="/pictures/{view.id}/label"' in page
    viewer = client_of(ann.app, "viewer").get(f"/parts/{PRODUCT}/P1").text
    assert "/label" not in viewer
    assert label(ann, view, "burnt", 0).status_code == 200
    part = ann.get(f"/api/v1/part/{PRODUCT}/P1").json()
    assert [(one["label"], one["labels"]) for one in part["pictures"]] == [("burnt", 1)]
    assert part["passes"][0]["classes"] == ["burnt"]
