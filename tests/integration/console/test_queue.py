"""The queue, dead letters as an inbox, and a message's trail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import redis
from fastapi import FastAPI
from sqlalchemy import Engine

from db import audit
from db.inspections import dead_letters
from db.inspections.inspections import commit_inspections
from db.session import engine_for
from linewatch.settings import get_settings
from producer.contract import QUEUE, Reason, Verdict
from tests.support.committed import committed
from tests.support.console import client_of, console_app
from tests.support.records import a_record

XSS = "<script>alert(1)</script>"


@pytest.fixture
def app(sqlite_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[FastAPI]:
    monkeypatch.setenv("LINEWATCH_REDIS_URL", redis_url)
    get_settings.cache_clear()
    yield console_app(engine_for(sqlite_url))
    get_settings.cache_clear()


@pytest.fixture
def engine(app: FastAPI) -> Engine:
    engine: Engine = app.state.site.engine
    return engine


def a_letter(engine: Engine, **fields: Any) -> int:
    """A dead letter whose message can be sent again."""
    picture = uuid4()
    now = datetime.now(UTC).isoformat()
    image = {"id": str(picture), "uri": "/images/1.png", "camera": "C1", "captured_at": now}
    message = {
        "version": 1,
        "product": "cable",
        "line": "L1",
        "enqueued_at": now,
        "images": [image],
    }
    usual = {
        "reason": Reason.POISON,
        "detail": XSS,
        "payload": json.dumps(message),
        "task_id": f"task-{picture}",
        "image_id": picture,
    }
    number = committed(engine, dead_letters.add, **{**usual, **fields})
    assert number is not None
    return number


def test_depth_and_age(app: FastAPI, redis_url: str) -> None:
    client = redis.Redis.from_url(redis_url)
    client.lpush(QUEUE, "no message of ours")
    found = client_of(app, "viewer").get("/api/v1/queue").json()
    depths = {row["name"]: row["depth"] for row in found["queues"]}
    assert depths == {QUEUE: 1, "train": 0, "maintenance": 0}
    assert (found["redis"], found["held"]) == (True, 0)


def test_redis_away(app: FastAPI, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    a_letter(engine)
    monkeypatch.setenv("LINEWATCH_REDIS_URL", "redis://127.0.0.1:1/0")
    get_settings.cache_clear()
    page = client_of(console_app(engine), "viewer").get("/queue").text
    assert "Redis does not answer" in page
    assert "poison" in page


def test_an_engineer_says_what_was_done(app: FastAPI, engine: Engine) -> None:
    number = a_letter(engine)
    viewer, engineer = client_of(app, "viewer"), client_of(app, "engineer", "eva")
    page = viewer.get(f"/queue/letters/{number}").text
    assert XSS not in page
    assert "Mark as addressed" not in page

    seen = engineer.get(f"/api/v1/letters/{number}").json()["seen"]
    said = {"as_seen": seen, "note": "camera 3 was replaced"}
    path = f"/queue/letters/{number}/address"
    assert viewer.post(path, data=said).status_code == 403
    assert engineer.post(path, data=said).status_code == 303
    # who looked before that is told
    again = client_of(app, "engineer", "ned").post(path, data=said)
    assert again.status_code == 409
    assert "eva" in again.text

    assert viewer.get("/api/v1/queue").json()["letters"] == []
    (row,) = viewer.get("/api/v1/queue?state=addressed").json()["letters"]
    assert (row["addressed_by"], row["note"]) == ("eva", "camera 3 was replaced")
    assert "dead_letter.address" in {entry.action for entry in audit.newest(engine)}

    # the same letter, dead once more, is to be seen to anew
    letter = dead_letters.get(engine, number)
    assert letter is not None
    a_letter(engine, payload=letter.payload, image_id=letter.image_id)
    (row,) = viewer.get("/api/v1/queue").json()["letters"]
    assert (row["letter"], row["addressed_by"]) == (number, None)


def test_an_engineer_sends_a_letter_again(app: FastAPI, engine: Engine, redis_url: str) -> None:
    number = a_letter(engine)
    engineer = client_of(app, "engineer", "eva")
    seen = engineer.get(f"/api/v1/letters/{number}").json()["seen"]
    path = f"/queue/letters/{number}/requeue"
    sent = engineer.post(path, data={"as_seen": seen})
    assert sent.status_code == 303, sent.text
    assert redis.Redis.from_url(redis_url).llen(QUEUE) == 1
    assert engineer.post(path, data={"as_seen": seen}).status_code == 409
    assert redis.Redis.from_url(redis_url).llen(QUEUE) == 1
    row = engineer.get(f"/api/v1/letters/{number}").json()["row"]
    assert row["addressed_by"] == "eva"


def test_a_selection_is_deleted(app: FastAPI, engine: Engine) -> None:
    numbers = [a_letter(engine) for _ in range(3)]
    engineer = client_of(app, "engineer", "eva")
    answer = engineer.post("/queue/letters/purge", data={"letters": numbers[:2]})
    assert answer.status_code == 303
    left = engineer.get("/api/v1/queue?state=all").json()["letters"]
    assert [row["letter"] for row in left] == numbers[2:]
    entry = audit.newest(engine)[0]
    assert (entry.actor, entry.action) == ("eva", "dead_letter.purge")
    for deed in ("purge", "address"):
        nothing = engineer.post(f"/queue/letters/{deed}", data={"note": "done"})
        assert (nothing.status_code, "no letter is ticked" in nothing.text) == (400, True)
    assert engineer.get(f"/queue/letters/{numbers[0]}").status_code == 404


def test_pages_of_letters(app: FastAPI, engine: Engine) -> None:
    numbers = [a_letter(engine) for _ in range(53)]
    viewer = client_of(app, "viewer")
    first = viewer.get("/api/v1/queue").json()
    second = viewer.get(f"/api/v1/queue?after={first['after']}").json()
    listed = [row["letter"] for page in (first, second) for row in page["letters"]]
    assert listed == numbers[::-1]
    assert second["after"] is None
    assert viewer.get("/queue?state=odd").status_code == 400


def test_a_trail(app: FastAPI, engine: Engine) -> None:
    record = a_record(verdict=Verdict.DEAD_LETTER, reason=Reason.POISON, part=XSS)
    commit_inspections(engine, [record], UTC)
    number = a_letter(engine, image_id=record.id)
    viewer = client_of(app, "viewer")
    found = viewer.get(f"/api/v1/trail/{record.id}").json()
    assert [step["what"] for step in found["steps"]] == [
        *("captured", "enqueued", "decided", "dead-lettered")
    ]
    assert found["steps"][-1]["letter"] == number
    assert XSS not in viewer.get(f"/trail/{record.id}").text
    assert "SQL knows nothing of it" in viewer.get(f"/trail/{uuid4()}").text
    moved = viewer.get("/trail", params={"message": "a/b"})
    assert (moved.status_code, moved.headers["location"]) == (303, "/trail/a%2Fb")
