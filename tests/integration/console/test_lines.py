"""The page of lines, and the same as JSON, as a wall and as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from db.calendars.ahead import spans_ensured
from db.inspections.inspections import commit_inspections
from db.session import engine_for
from linewatch.settings import get_settings
from producer.contract import Verdict
from tests.support.console import client_of, console_app
from tests.support.records import a_record

XSS = "<script>alert(1)</script>"


def commit(engine: Engine, *, ago_s: float = 1, **fields: Any) -> None:
    at = datetime.now(UTC) - timedelta(seconds=ago_s)
    record = a_record(
        **{"id": uuid4(), "part": f"P-{uuid4()}", "decided_at": at, "captured_at": at, **fields}
    )
    commit_inspections(engine, [record], UTC)


@pytest.fixture
def engine(sqlite_url: str) -> Iterator[Engine]:
    engine = engine_for(sqlite_url)
    spans_ensured(engine, UTC)
    get_settings.cache_clear()
    yield engine
    get_settings.cache_clear()


def lines_of(engine: Engine) -> dict[str, Any]:
    return client_of(console_app(engine), "viewer").get("/api/v1/lines").json()


def test_a_tile_says_what_its_camera_did(engine: Engine) -> None:
    for ago_s in range(5, 10):
        commit(engine, ago_s=ago_s)
    commit(engine, ago_s=2, verdict=Verdict.DEFECT, defect_class="bent_wire", worker="w2")
    found = lines_of(engine)
    (tile,) = found["cameras"]
    assert (tile["line"], tile["camera"], tile["state"]) == ("L1", "C1", "sending")
    assert (tile["passed"], tile["defects"], tile["review"], tile["unjudged"]) == (5, 1, 0, 0)
    assert (tile["worker"], tile["model"]) == ("w2", "cable-1")
    assert [one["verdict"] for one in tile["pictures"]] == ["defect", "pass", "pass", "pass"]
    (line,) = found["lines"]
    (rate,) = line["rates"]
    assert (rate["conforming"], rate["nonconforming"], rate["open"]) == (5, 1, 0)
    assert rate["standing"] == "no_limits"
    assert line["verification"] == "never"


def test_a_camera_that_sends_nothing_within_a_shift_is_silent(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINEWATCH_CAMERA_SILENT_S", "0.001")  # any shift began longer ago
    get_settings.cache_clear()
    commit(engine, ago_s=7200)
    commit(engine, ago_s=8 * 86400, camera="C3")
    found = lines_of(engine)
    assert {tile["camera"]: tile["state"] for tile in found["cameras"]} == {
        "C1": "silent",
        "C3": "unused",
    }
    assert (found["lines"][0]["silent"], found["lines"][0]["state"]) == (1, "bad")


def test_names_are_text(engine: Engine) -> None:
    commit(engine, line=XSS, camera=XSS, part=XSS, product="cable", worker=XSS, model_version=XSS)
    client = client_of(console_app(engine), "viewer")
    for path in ("/", "/wall", "/?block=tiles"):
        page = client.get(path).text
        assert XSS not in page
        assert "&lt;script&gt;" in page


def test_redis_away_is_said(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEWATCH_REDIS_URL", "redis://127.0.0.1:1/0")
    get_settings.cache_clear()
    found = lines_of(engine)
    assert found["queue_depth"] is None
    assert "Redis does not answer" in found["troubles"][0]


def test_an_empty_plant(engine: Engine) -> None:
    client = client_of(console_app(engine), "viewer")
    assert "A line appears with its first picture" in client.get("/").text
    assert client.get("/api/v1/lines.csv").status_code == 200
    assert "No line has sent a picture yet" in client.get("/wall").text
