"""What is known of a part, finding it, and containment lists."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import Engine, update
from starlette.testclient import TestClient

from console.pages.part import containment
from db.base import table_of
from db.labels import decisions
from db.labels.decisions import NewDecision
from db.labels.labels import NewLabel, add_labels
from db.retention.queries import purge_inspections
from db.session import engine_for, transaction
from db.tables import Inspection
from linewatch.settings import Settings
from tests.support.bench import CODES, Bench
from tests.support.committed import committed
from tests.support.console import client_of, console_app
from tests.support.review import NOW, PRODUCT, a_product, a_view, commit, features

HOSTILE = '</td><script>alert("x")</script>'


@pytest.fixture
def engine(sqlite_url: str) -> Engine:
    engine = engine_for(sqlite_url)
    a_product(engine)
    return engine


@pytest.fixture
def eve(engine: Engine) -> TestClient:
    return client_of(console_app(engine), "viewer", "eve")


def part_of(client: TestClient, part: str, **asked: str) -> dict[str, Any]:
    answer = client.get(f"/api/v1/part/{PRODUCT}/{quote(part, safe='')}", params=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_all_that_is_known_of_a_serial_number(engine: Engine, eve: TestClient) -> None:
    first, second = a_view("P/1", camera="C1", features=features(1, 0)), a_view("P/1", 9000)
    commit(engine, [first, second, a_view("P/2")])
    committed(engine, add_labels, [NewLabel(first.id, "bent", "ann", labelled_at=NOW)])
    said = NewDecision(PRODUCT, "P/1", "ok", "bob", why="seen by hand", pass_number=1)
    committed(engine, decisions.add, [said])
    found = part_of(eve, "P/1")
    assert [(one["pass_number"], one["disposition"]) for one in found["passes"]] == [
        (1, "conforming"),
        (2, "open"),
    ]
    assert [one["label"] for one in found["pictures"]] == ["bent", None]
    assert [(one["kind"], one["by"], one["said"]) for one in found["words"]] == [
        ("label", "ann", "bent"),
        ("decision", "bob", "conforming"),
    ]
    assert found["features"] == 1
    page = eve.get(f"/parts/{PRODUCT}/P/1").text
    for word in ("seen by hand", "bob", "uncertain", f"/pictures/{first.id}"):
        assert word in page
    assert eve.get(f"/parts/{PRODUCT}/P/3").status_code == 404
    assert eve.get("/parts/none/P/1").status_code == 404


def test_a_picture_without_a_serial_number_by_its_id(engine: Engine, eve: TestClient) -> None:
    alone = a_view(None)
    commit(engine, [alone])
    found = part_of(eve, str(alone.id))
    assert (found["serialised"], len(found["pictures"]), found["passes"]) == (False, 1, [])
    assert eve.get(f"/parts/plugs/{alone.id}").status_code == 404
    committed(engine, add_labels, [NewLabel(alone.id, "bent", "ann")])
    assert part_of(eve, str(alone.id))["passes"][0]["classes"] == ["bent"]


def test_what_is_purged_is_said_to_be(engine: Engine, eve: TestClient) -> None:
    gone, bare = a_view("P1"), a_view("P2", 7200)
    commit(engine, [gone, bare])
    with transaction(engine) as connection:
        t = table_of(Inspection)
        connection.execute(update(t).where(t.c.id == bare.id).values(image_uri=None))
        until = NOW + timedelta(hours=1)
        assert purge_inspections(connection, (PRODUCT, [PRODUCT]), until, 10) == 1
    found = part_of(eve, "P1")
    assert [one["id"] for one in found["purged"]] == [str(gone.id)]
    page = eve.get(f"/parts/{PRODUCT}/P1").text
    assert "All its pictures and their rows are purged" in page
    assert "The picture is purged; its verdict is kept" in eve.get(f"/parts/{PRODUCT}/P2").text


def test_names_are_text(engine: Engine, eve: TestClient) -> None:
    commit(engine, [a_view(HOSTILE, lot=HOSTILE, line=HOSTILE, camera=HOSTILE, image_uri=HOSTILE)])
    for path in (f"/parts/{PRODUCT}/{quote(HOSTILE, safe='')}", f"/parts?q={quote(HOSTILE)}"):
        page = eve.get(path)
        assert page.status_code == 200
        assert HOSTILE not in page.text
        assert "&lt;script&gt;" in page.text


def test_parts_are_found_by_the_beginning_of_their_serial(engine: Engine, eve: TestClient) -> None:
    commit(engine, [a_view(f"SN-{n:03}", n) for n in range(120)] + [a_view("SX-1"), a_view("%")])

    def serials(q: str, **more: str) -> list[str]:
        found = eve.get("/api/v1/parts", params={"q": q, **more}).json()
        return [one["part"] for one in found["parts"]]

    assert serials("SN-01") == [f"SN-01{n}" for n in range(10)]
    assert serials("%") == ["%"]
    assert len(serials("SN")) == 100
    assert serials("SN-01", product="other") == serials("") == serials("sn") == []
    assert "The first parts of more" in eve.get("/parts?q=SN").text
    assert eve.get("/api/v1/parts.csv?q=SX").text.splitlines()[1].startswith("plug,SX-1,1")


def test_containment_says_what_is_wrong(engine: Engine, eve: TestClient) -> None:
    assert "There is no model version yet" in eve.get("/containment").text
    page = eve.get("/containment?version=a&against=b")
    assert (page.status_code, "no version is called" in page.text) == (200, True)
    assert eve.get("/containment.csv?version=a&against=b").status_code == 400


def test_containment_and_judging_again(
    make_settings: Callable[..., Settings], sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(containment, "_PAGES", 2)  # with serial numbers, and without: all
    settings = make_settings(review_below="0.0", database_url=sqlite_url, plant_timezone="UTC")
    bench = Bench(engine_for(sqlite_url), settings)
    for code in CODES:
        bench.pictures(code, 9)
    new = bench.champion()
    for part, code in (("G", "good"), ("B", "bent"), (HOSTILE, "bent")):
        bench.pictures(code, 1, model_version=new, part=part, lot="L-7", label=False)
    client = client_of(console_app(bench.engine), "viewer", "eve")
    asked = {"version": new, "against": new, "lot": "L-7"}
    listed = client.get("/api/v1/containment", params=asked).json()
    assert (listed["judged"], listed["complete"], listed["problem"]) == (3, True, None)
    assert {one["part"]: one["result"] for one in listed["parts"]} == {
        "B": "defect",
        HOSTILE: "defect",
    }
    page = client.get("/containment", params=asked).text
    assert HOSTILE not in page
    assert f"/containment.csv?version={new}" in page
    rows = list(csv.DictReader(io.StringIO(client.get("/containment.csv", params=asked).text)))
    assert {row["part"] for row in rows} == {"B", HOSTILE}
    backwards = asked | {"since": "2031-01-01T00:00", "until": "2030-01-01T00:00"}
    assert client.get("/api/v1/containment", params=backwards).json()["parts"] == []
    wrong = client.get("/api/v1/containment", params=asked | {"since": "soon"}).json()
    assert wrong["problem"].startswith("'soon' is no time; give '2026-01-31'")
    far = client.get("/containment.csv", params=asked | {"since": "0001-01-01T00:00+14:00"})
    assert (far.status_code, "is no time" in far.text) == (400, True)

    found = client.get("/api/v1/part/cable/B", params={"replay": new}).json()
    assert found["pictures"][0]["again"] == "defect"
    assert client.get("/api/v1/part/cable/B", params={"replay": "none"}).status_code == 400
    inspector = client_of(console_app(bench.engine), "inspector", "ann")
    (part, *_) = inspector.get(
        "/api/v1/review", params={"product": "cable", "part": '["cable","B","",1]'}
    ).json()["parts"]
    word = {"key": part["key"], "revision": part["revision"], "said": "good"}
    assert inspector.post("/api/v1/review", json=word).status_code == 200
    seen = inspector.get("/api/v1/review-seen", params={"part": part["key"]}).json()
    assert seen["pictures"][0]["scores"][0]["code"] == "bent"
    assert sum(one["probability"] for one in seen["pictures"][0]["scores"]) == pytest.approx(1)
    assert [one["label"] for one in seen["neighbours"]] == ["bent"] * 6
