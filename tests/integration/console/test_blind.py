"""Who may decide sees no model's word on a part before its first decision, wherever they look."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from db.inspections.records import InspectionRecord
from db.people import keys
from db.session import engine_for, transaction
from producer.contract import Verdict
from tests.support.console import client_of, console_app
from tests.support.review import NOW, PRODUCT, a_product, a_view, commit

SURE: dict[str, Any] = {"verdict": Verdict.PASS, "reason": None, "defect_class": "ok"}
TOLD = (
    *("0.87654", "87.7", "conforming", "uncertain", '"pass"', '"review"', ">pass<", ">review<"),
    *('"open"', ">open<", ",open,"),
)


@pytest.fixture
def views(database_url: str) -> dict[str, InspectionRecord]:
    """An open part and a drawn one, and a picture of each kind without a serial number."""
    engine = engine_for(database_url)
    a_product(engine, audit_share=1.0)
    usual = {"confidence": 0.87654}
    found = {
        "open": a_view("O", **usual),
        "drawn": a_view("D", 1, **SURE, **usual),
        "open alone": a_view(None, 2, **usual),
        "drawn alone": a_view(None, 3, **SURE, **usual),
    }
    commit(engine, list(found.values()))
    return found


@pytest.fixture
def engine(database_url: str) -> Engine:
    return engine_for(database_url)


@pytest.fixture(params=["inspector", "engineer"])
def ann(request: pytest.FixtureRequest, engine: Engine) -> TestClient:
    return client_of(console_app(engine), request.param, "ann")


def name_of(view: InspectionRecord) -> str:
    return view.part or str(view.id)


def places(view: InspectionRecord) -> Iterator[str]:
    """Where a model's word on a picture stands."""
    name = name_of(view)
    for path in (f"part/{PRODUCT}/{name}", f"inspections/{view.id}", f"trail/{view.id}"):
        yield f"/api/v1/{path}"
    yield f"/parts/{PRODUCT}/{name}"
    yield f"/trail/{view.id}"
    if view.part:
        yield from (f"{path}?q={name}" for path in ("/api/v1/parts", "/api/v1/parts.csv", "/parts"))
        narrowed = f"product={PRODUCT}&since={NOW.date() - timedelta(days=1)}"
        yield from (f"{path}?{narrowed}" for path in ("/api/v1/reports/parts", "/reports/parts"))


def shape(client: TestClient, view: InspectionRecord) -> Any:
    """What is told of a part, but for what each part has of its own."""
    said = client.get(f"/api/v1/part/{PRODUCT}/{name_of(view)}").json()
    text = json.dumps([said["passes"], said["pictures"]])
    for own in (str(view.id), name_of(view), view.image_uri or "-"):
        text = text.replace(own, "…")
    (picture,) = said["pictures"]
    return [picture[name] for name in ("hidden", "verdict", "reason", "label")], len(text)


def test_nobody_who_may_decide_is_told(ann: TestClient, views: dict[str, InspectionRecord]) -> None:
    viewer = client_of(ann.app, "viewer")
    for kind, view in views.items():
        for path in places(view):
            found = ann.get(path)
            assert found.status_code == 200, path
            assert [word for word in TOLD if word in found.text] == [], f"{kind}: {path}"
            seen = viewer.get(path).text
            assert any(word in seen for word in (*TOLD, "review ", "pass ")), f"{kind}: {path}"
    assert shape(ann, views["open"])[0] == shape(ann, views["drawn"])[0]
    assert shape(ann, views["open alone"])[0] == shape(ann, views["drawn alone"])[0]
    listed = ann.get("/api/v1/inspections", params={"product": PRODUCT}).json()["inspections"]
    assert [(one["hidden"], one["verdict"]) for one in listed] == [(True, None)] * 4


def test_after_the_first_decision_all_is_shown(
    ann: TestClient, views: dict[str, InspectionRecord]
) -> None:
    for kind in ("open", "drawn"):
        view = views[kind]
        address = f"/api/v1/part/{PRODUCT}/{name_of(view)}"
        key = ann.get(address).json()["to_decide"]
        asked = {"product": PRODUCT, "part": key}
        part = ann.get("/api/v1/review", params=asked).json()["parts"][0]
        word = {"key": key, "revision": part["revision"], "said": "bent"}
        now = ann.post("/api/v1/review", json=word).json()
        found = ann.get(address).json()
        assert (found["to_decide"], found["pictures"][0]["confidence"]) == ("", 0.87654)
        # Taken back: who decided has seen it, and the sample keeps its answer.
        back = {"key": key, "revision": now["revision"]}
        assert ann.post("/api/v1/review/undo", json=back).status_code == 200
        assert ann.get(address).json()["pictures"][0]["hidden"] is False


def test_what_a_model_decided_unaudited_is_shown(engine: Engine) -> None:
    a_product(engine)
    failed = a_view("R", 1, verdict=Verdict.REJECTED, reason="corrupt", confidence=None)
    commit(engine, [a_view("M", **SURE), failed])
    ann = client_of(console_app(engine), "inspector", "ann")
    found = ann.get(f"/api/v1/part/{PRODUCT}/M").json()
    assert (found["to_decide"], found["passes"][0]["disposition"]) == ("", "conforming")
    # No model said anything of a picture that could not be read; why not is no secret.
    (picture,) = ann.get(f"/api/v1/part/{PRODUCT}/R").json()["pictures"]
    assert (picture["verdict"], picture["reason"]) == ("rejected", "corrupt")


def test_systems_are_told(engine: Engine, views: dict[str, InspectionRecord]) -> None:
    day = timedelta(days=1)
    with transaction(engine) as connection:
        key = keys.make(connection, "mes", "inspector", lasts=day, by="test")
    client = client_of(console_app(engine))
    asked = {"authorization": f"Bearer {key}"}
    found = client.get(f"/api/v1/inspections/{views['drawn'].id}", headers=asked).json()
    assert (found["verdict"], found["hidden"]) == ("pass", False)
