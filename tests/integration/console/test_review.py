"""The review page: blind until decided, never overwriting, and useful where there is nothing."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, cast

import markupsafe
import numpy as np
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from starlette.testclient import TestClient

from db import audit
from db.audit_sample.items import unanswered
from db.inspections.records import StoredMap
from db.labels import decisions, golden_members, labels
from db.labels.labels import NewLabel, add_labels
from db.session import engine_for
from producer.contract import Verdict
from tests.support.committed import committed
from tests.support.console import client_of, console_app
from tests.support.review import NOW, PRODUCT, a_product, a_version, a_view, commit, features

HOSTILE = '<script>alert("x")</script>'


@pytest.fixture
def engine(sqlite_url: str) -> Engine:
    return engine_for(sqlite_url)


@pytest.fixture
def ann(engine: Engine) -> TestClient:
    return client_of(console_app(engine), "inspector", "ann")


def queue_of(client: TestClient, **asked: str) -> dict[str, Any]:
    answer = client.get("/api/v1/review", params=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_without_products_or_parts_it_says_so(engine: Engine, ann: TestClient) -> None:
    assert "No product is registered yet" in ann.get("/review").text
    a_product(engine)
    assert "No part waits for you here" in ann.get("/review").text
    assert ann.get("/review?product=plg").status_code == 404
    assert ann.get("/review?part=[1]").status_code == 404
    assert ann.get('/review?part=["plug","none","",1]').status_code == 404


def test_open_and_drawn_parts_cannot_be_told_apart(engine: Engine, ann: TestClient) -> None:
    a_product(engine, audit_share=1.0)
    sure: dict[str, Any] = {
        "verdict": Verdict.PASS,
        "reason": None,
        "defect_class": "ok",
        "confidence": 0.99,
    }
    commit(engine, [a_view(f"O{n}", n) for n in range(4)])
    commit(engine, [a_view(f"D{n}", n, **sure) for n in range(4)])
    found = queue_of(ann)
    assert {one["part"][0] for one in found["parts"]} == {"O", "D"}
    shapes = {tuple(sorted(one)) for one in found["parts"]}
    assert len(shapes) == 1
    same = ("product", "pass_number", "line", "lot", "revision")
    assert len({tuple(one[name] for name in same) for one in found["parts"]}) == 1
    page = ann.get("/review").text
    for told in ("uncertain", "confidence", "0.99", "review&#39;", "audit", "plug-1"):
        assert told not in page

    drawn = next(one for one in found["parts"] if one["part"] == "D0")
    hidden = ann.get("/api/v1/review-seen", params={"part": drawn["key"]})
    assert hidden.status_code == 404
    word = {"key": drawn["key"], "revision": drawn["revision"], "said": "bent"}
    assert ann.post("/api/v1/review", json=word).json()["labels"] == 1
    assert "D0" not in {one.name.serial for one in unanswered(engine)}
    seen = ann.get("/api/v1/review-seen", params={"part": drawn["key"]}).json()
    assert seen["disposition"] == "conforming"
    assert seen["pictures"][0]["confidence"] == 0.99


def test_a_decision_shows_the_next_part_and_can_be_taken_back(
    engine: Engine, ann: TestClient
) -> None:
    a_product(engine)
    commit(engine, [a_view("P1"), a_view("P2", 1)])
    first, second = queue_of(ann)["parts"]
    word = {"key": first["key"], "revision": first["revision"], "said": "bent"}
    answer = ann.post("/review/decide", data=word, headers={"hx-request": "true"})
    assert answer.status_code == 200
    assert f'data-part="{markupsafe.escape(second["key"])}"' in answer.text
    assert '<strong id="open-count">1</strong>' in answer.text
    assert "<html" not in answer.text
    (made,) = decisions.history(engine, PRODUCT)
    assert (made.decided_by, made.source) == ("ann", "review")
    deed = next(one for one in audit.newest(engine) if one.action == "decision.change")
    assert (deed.actor, deed.detail["new"]) == ("ann", {"said": "bent", "labels": 1})

    done = queue_of(ann, part=first["key"])["parts"][0]
    back = {"key": first["key"], "revision": done["revision"]}
    again = ann.post("/review/undo", data=back, headers={"hx-request": "true"})
    assert '<strong id="open-count">2</strong>' in again.text
    assert queue_of(ann)["open"] == 2
    assert labels.latest(engine, PRODUCT) == {}
    assert ann.post("/api/v1/review/undo", json=back).status_code == 409
    plain = ann.post("/review/decide", data=word | {"revision": "1.1.1"})
    assert (plain.status_code, "look at it again" in plain.text) == (409, True)


def test_of_two_inspectors_the_second_is_told_by_whom_and_when(
    engine: Engine, ann: TestClient
) -> None:
    a_product(engine)
    commit(engine, [a_view("P1"), a_view("P2", 1)])
    bob = client_of(cast(FastAPI, ann.app), "inspector", "bob")
    mine = queue_of(ann)["parts"][0]
    assert queue_of(bob)["parts"][0]["key"] != mine["key"]  # what ann looks at comes last
    word = {"key": mine["key"], "revision": mine["revision"], "said": "bent"}
    assert ann.post("/api/v1/review", json=word).status_code == 200
    late = bob.post("/review/decide", data=word | {"said": "ok"}, headers={"hx-request": "true"})
    assert late.status_code == 409
    assert "ann called this &#39;bent&#39; at 20" in late.text
    problem = bob.post("/api/v1/review", json=word)
    assert (problem.status_code, problem.json()["title"]) == (409, "Conflict")
    assert len(decisions.history(engine, PRODUCT)) == 1


def test_a_selection_is_decided_but_for_what_another_decided(
    engine: Engine, ann: TestClient
) -> None:
    a_product(engine)
    commit(engine, [a_view(f"P{n}", n) for n in range(3)])
    parts = queue_of(ann)["parts"]
    chosen = [f"{one['revision']} {one['key']}" for one in parts]
    word = {"key": parts[1]["key"], "revision": parts[1]["revision"], "said": "burnt"}
    client_of(console_app(engine), "inspector", "bob").post("/api/v1/review", json=word)
    answer = ann.post("/review/selection", data={"said": "ok", "chosen": chosen})
    assert answer.status_code == 409
    assert "bob called this" in answer.text
    said = {one.part: one.defect_class for one in decisions.current(engine, PRODUCT)}
    assert sorted(map(str, said.values())) == ["None", "None", "burnt"]


def test_a_selection_of_which_one_cannot_be_decided_says_which(
    engine: Engine, ann: TestClient
) -> None:
    a_product(engine)
    commit(engine, [a_view(f"P{n}", n) for n in range(2)])
    parts = queue_of(ann)["parts"]
    missing = json.dumps([PRODUCT, "gone", "", 1])
    chosen = [f"{parts[0]['revision']} {parts[0]['key']}", f"1.1.1 {missing}", "1.1.1 no-key"]
    answer = ann.post("/review/selection", data={"said": "ok", "chosen": chosen})
    assert answer.status_code == 409
    for one in ("gone: ", "no-key: "):
        assert one in answer.text
    assert [one.part for one in decisions.current(engine, PRODUCT)] == [parts[0]["part"]]
    nothing = ann.post("/review/selection", data={"said": "ok"})
    assert (nothing.status_code, "no part is ticked" in nothing.text) == (422, True)


def test_two_people_make_a_part_golden(engine: Engine, ann: TestClient) -> None:
    a_product(engine)
    commit(engine, [a_view("P1", camera="C1"), a_view("P1", 1, camera="C2")])
    (part,) = queue_of(ann)["parts"]
    word = {"key": part["key"], "revision": part["revision"], "said": "bent", "golden": True}
    assert "second person" in ann.post("/api/v1/review", json=word).json()["golden"]
    bob = client_of(console_app(engine), "inspector", "bob")
    assert queue_of(ann, queue="golden")["parts"] == []
    (part,) = queue_of(bob, queue="golden")["parts"]
    word |= {"revision": part["revision"]}
    assert "Two people agree" in bob.post("/api/v1/review", json=word).json()["golden"]
    assert len(golden_members.every_member(engine, PRODUCT)) == 2


def test_neighbours_are_of_the_same_features(engine: Engine, ann: TestClient) -> None:
    a_product(engine)
    a_champion(engine)
    near, far = a_view("N", 1, features=features(1, 0.1)), a_view("F", 2, features=features(0, 1))
    commit(engine, [a_view("P1", features=features(1, 0)), near, far])
    for one, label in ((near, "bent"), (far, "ok")):
        committed(engine, add_labels, [NewLabel(one.id, label, "eve")])
    part = next(one for one in queue_of(ann)["parts"] if one["part"] == "P1")
    word = {"key": part["key"], "revision": part["revision"], "said": "bent"}
    ann.post("/api/v1/review", json=word)
    seen = ann.get("/api/v1/review-seen", params={"part": part["key"]}).json()
    assert [one["label"] for one in seen["neighbours"]] == ["bent", "ok"]
    assert seen["neighbours"][0]["likeness"] > 0.99
    assert seen["pictures"][0]["scores"] == []  # the model's files are not in the store


def test_the_map_of_a_picture_is_shown_once_it_is_decided(engine: Engine, ann: TestClient) -> None:
    a_product(engine)
    places = np.array([[0.1, 0.2, 0.9], [0.1, 0.1, 0.3]], dtype="<f2")
    map_ = StoredMap("plug-1", 0.4, 0.5, 2, 3, (0.0, 0.25, 1.0, 0.75), places.tobytes())
    commit(engine, [a_view("P1", maps=[map_])])
    (part,) = queue_of(ann)["parts"]
    word = {"key": part["key"], "revision": part["revision"], "said": "bent"}
    ann.post("/api/v1/review", json=word)
    (picture,) = ann.get("/api/v1/review-seen", params={"part": part["key"]}).json()["pictures"]
    assert picture["map"]["places"][0] == pytest.approx([0.1, 0.2, 0.9], abs=1e-3)
    assert (picture["map"]["border"], picture["map"]["box"]) == (0.5, [0.0, 0.25, 1.0, 0.75])
    assert "data-map" in ann.get("/review/seen", params={"part": part["key"]}).text


def a_champion(engine: Engine) -> None:
    from db.models import deployments

    version = a_version(engine)
    committed(engine, deployments.promote, PRODUCT, version, by="test", why="a test")


def test_names_are_text(engine: Engine, ann: TestClient) -> None:
    a_product(engine)
    long = "x" * 150
    commit(engine, [a_view(HOSTILE, lot=HOSTILE, line=HOSTILE), a_view(long, 1, camera=HOSTILE)])
    page = ann.get("/review").text
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page
    part = next(one for one in queue_of(ann)["parts"] if one["part"] == HOSTILE)
    word = {"key": part["key"], "revision": part["revision"], "said": HOSTILE}
    refused = ann.post("/review/decide", data=word)
    assert refused.status_code == 400
    assert HOSTILE not in refused.text
    assert ann.post("/api/v1/review", json=word | {"said": "bent"}).status_code == 200
    assert HOSTILE not in ann.get("/review/seen", params={"part": part["key"]}).text


def test_labels_go_to_label_studio_and_come_back(engine: Engine, ann: TestClient) -> None:
    a_product(engine)
    one, two = a_view("P1"), a_view("P2", 1, image_uri="/images/2.png")
    commit(engine, [one, two])
    committed(engine, add_labels, [NewLabel(one.id, "bent", "eve", labelled_at=NOW)])
    exported = ann.get("/review/labels.json", params={"product": PRODUCT}).json()
    (task,) = exported
    assert task["data"]["inspection_id"] == str(one.id)
    assert task["annotations"][0]["result"][0]["value"] == {"choices": ["bent"]}

    answer = task["annotations"][0]
    later = (NOW + timedelta(minutes=1)).isoformat()
    answer["result"][0]["value"] = {"choices": ["burnt"]}
    answer |= {"updated_at": later, "completed_by": {"email": "fay@plant"}}
    unlabelled = {"data": {"image": "/images/2.png"}, "annotations": []}
    file = json.dumps([task, unlabelled])
    sent = {"file": ("export.json", file, "application/json")}
    assert ann.post(f"/review/labels?product={PRODUCT}", files=sent).status_code == 303
    assert labels.latest(engine, PRODUCT) == {one.id: "burnt"}
    unlabelled["annotations"] = [answer | {"result": []}, answer]
    unlabelled["data"] = {"image": "/images/9.png"}
    sent = {"file": ("x.json", json.dumps([unlabelled]), "application/json")}
    refused = ann.post(f"/review/labels?product={PRODUCT}", files=sent)
    assert (refused.status_code, "no inspected picture is" in refused.text) == (400, True)
    sent = {"file": ("x.json", "{", "application/json")}
    assert "is no JSON" in ann.post(f"/review/labels?product={PRODUCT}", files=sent).text
