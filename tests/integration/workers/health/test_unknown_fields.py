"""The alert of messages that a worker does not wholly know, on both databases."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis
from sqlalchemy import Engine

from db import alerts
from db.inspections import dead_letters
from db.session import engine_for
from linewatch.requeue import requeue
from linewatch.settings import Settings
from producer.contract import Reason, Receipt, Verdict, parse_message
from producer.drain import Drain
from tests.support.committed import committed
from tests.unit.producer.test_message import message, picture
from workers.health import unknown_fields
from workers.health.unknown_fields import QUIET_S, UnknownFieldWatch


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def standing(engine: Engine) -> dict[str | None, str]:
    found = [a for a in alerts.open_alerts(engine) if a.kind == "unknown_fields"]
    assert len({a.line for a in found}) == len(found)  # one a line at most
    return {alert.line: alert.message for alert in found}


def test_one_alert_a_line_until_it_was_quiet(engine: Engine) -> None:
    clock = Clock()
    watch = UnknownFieldWatch(engine, clock)
    watch.start()
    known = parse_message(message())
    newer = parse_message(message(picture(), picture(pats="x"), line="L2"))
    watch.note(known)
    assert standing(engine) == {}
    for _ in range(3):
        watch.note(newer)
    watch.note(parse_message(message(picture(other=1), line="L2")))
    watch.note(parse_message(message(line="L3", tenant="a")))
    assert standing(engine).keys() == {"L2", "L3"}
    assert "'pats' (is 'part' meant?)" in standing(engine)["L2"]
    clock.now += QUIET_S - 1
    watch.note(newer)
    clock.now += 2
    watch.note(known)  # L3 has been quiet, L2 has not
    assert standing(engine).keys() == {"L2"}
    again = UnknownFieldWatch(engine, clock)  # a worker that starts takes the alert over
    again.start()
    again.note(newer)
    assert standing(engine).keys() == {"L2"}
    clock.now += QUIET_S + 1
    again.note(known)
    assert standing(engine) == {}


def test_invented_lines_raise_no_end_of_alerts(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unknown_fields, "_MOST_LINES", 3)
    clock = Clock()
    watch = UnknownFieldWatch(engine, clock)
    for number in range(5):
        clock.now += 1
        watch.note(parse_message(message(picture(other=1), line=f"L{number}")))
    assert standing(engine).keys() == {"L0", "L1", "L2"}
    assert len(watch._last) == 3
    clock.now += 1
    watch.note(parse_message(message(picture(other=1), line="L0")))  # a known one goes on
    clock.now = 2 + QUIET_S + 0.5
    watch.note(parse_message(message()))
    watch.note(parse_message(message(picture(other=1), line="L4")))  # there is room again
    assert standing(engine).keys() == {"L0", "L2", "L4"}


def test_a_database_that_is_away_holds_up_no_message(tmp_path: Path) -> None:
    from sqlalchemy import create_engine

    empty = create_engine(f"sqlite:///{tmp_path / 'empty.db'}")
    UnknownFieldWatch(empty).note(parse_message(message(picture(other=1))))


def test_a_camera_that_is_newer_than_its_worker_says_so_once_a_minute(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    class Publisher:
        def receipts(self, limit: int) -> tuple[int, list[Receipt]]:
            now = datetime.now(UTC)
            fields: dict[str, Any] = {"verdict": Verdict.REJECTED, "decided_at": now}
            reasons = (Reason.INVALID_FIELDS, Reason.CHANGED)
            return 2, [Receipt(id=uuid4(), reason=reason, **fields) for reason in reasons]

        def forget_receipts(self, count: int) -> None:
            pass

    class Outbox:
        def awaits_receipts(self) -> bool:
            return True

        def clear(self, receipts: list[Receipt]) -> int:
            return len(receipts)

    drain = Drain(Outbox(), Publisher(), settings)  # type: ignore[arg-type]
    for _ in range(3):
        drain._next_collect = 0.0
        drain._collect()
    said = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert len(said) == 1
    assert "Update the workers" in said[0].getMessage()


def test_a_dead_letter_that_is_sent_again_keeps_what_this_version_does_not_know(
    sqlite_url: str, redis_url: str, make_settings: Callable[..., Settings]
) -> None:
    settings = make_settings(redis_url=redis_url)
    engine = engine_for(sqlite_url)
    payload = message(picture(new={"a": [1]}, seen={"size": 3, "blake3": "f"}), later="x")
    committed(engine, dead_letters.add, reason="poison", detail="d", payload=json.dumps(payload))
    (letter,) = dead_letters.newest(engine)
    assert requeue(engine, settings, letter, by="ann").pictures == 1
    with redis.Redis.from_url(redis_url) as client:
        (text,) = client.lrange("inspect", 0, -1)
    sent = json.loads(base64.b64decode(json.loads(text)["body"]))[0][0]
    assert sent["later"] == "x"
    assert sent["images"][0]["new"] == {"a": [1]}
    assert sent["images"][0]["seen"] == {"size": 3, "every": 1, "blake3": "f"}
