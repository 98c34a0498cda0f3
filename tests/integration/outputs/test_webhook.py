"""A webhook that hangs, refuses, goes away and comes back; who is away is an alert."""

from __future__ import annotations

import hashlib
import hmac
import shutil
from pathlib import Path

import pytest

from db import alerts
from db.session import engine_for
from outputs import absence
from tests.support.dispatching import a_drop, a_lot, a_webhook, dispatching, dropped, shown
from tests.support.waiting import until
from tests.support.webhook_server import WebhookServer


def test_a_webhook_is_signed(sqlite_url: str, tmp_path: Path, server: WebhookServer) -> None:
    engine = engine_for(sqlite_url)
    with dispatching(engine, a_webhook(tmp_path, server)):
        a_lot(engine, 3)
        until(lambda: len(server.results) == 3)
    headers, body = server.requests[-1]
    signed = f"{headers['Linewatch-Timestamp']}.{headers['Linewatch-Id']}.".encode() + body
    key = (tmp_path / "secret").read_bytes().strip()
    expected = hmac.new(key, signed, hashlib.sha256).hexdigest()
    assert headers["Linewatch-Signature"] == f"v1={expected}"


def test_a_receiver_that_hangs_holds_no_other(
    sqlite_url: str, drop: Path, tmp_path: Path, server: WebhookServer
) -> None:
    engine = engine_for(sqlite_url)
    server.answer = None
    with dispatching(engine, a_webhook(tmp_path, server), a_drop(drop)):
        parts = a_lot(engine, 30)
        until(lambda: len(dropped(drop)) == 30, 10)
        assert server.results == []
        server.answer = 200
        until(lambda: len(server.results) == 30)
    assert [one["part"] for one in server.results] == parts


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (500, "answers 500"),
        (302, "a redirect, which is not followed"),
        (b"garbage\r\n\r\n", ""),
        (None, "no answer within"),
    ],
)
def test_a_webhook_that_does_not_take_it_gets_it_again(
    sqlite_url: str,
    tmp_path: Path,
    server: WebhookServer,
    answer: int | bytes | None,
    words: str,
) -> None:
    engine = engine_for(sqlite_url)
    server.answer = answer
    with dispatching(engine, a_webhook(tmp_path, server, ack_timeout_s=0.3)):
        parts = a_lot(engine, 10)
        until(lambda: words in str(shown(engine)["problem"]) and shown(engine)["problem"] != "")
        assert shown(engine)["state"] == "away"
        server.answer = 204
        until(lambda: len(server.results) == 10)
        until(lambda: shown(engine)["state"] == "told")
    assert [one["part"] for one in server.results] == parts


def test_a_webhook_that_was_down_and_came_back(sqlite_url: str, tmp_path: Path) -> None:
    engine = engine_for(sqlite_url)
    first = WebhookServer()
    with dispatching(engine, a_webhook(tmp_path, first)):
        parts = a_lot(engine, 10, "A")
        until(lambda: len(first.results) == 10)
        first.close()
        parts += a_lot(engine, 10, "B")
        until(lambda: shown(engine)["state"] == "away")
        second = WebhookServer(first.port)
        try:
            until(lambda: {one["part"] for one in second.results} >= set(parts[10:]))
        finally:
            second.close()
    assert [one["part"] for one in second.results if one["part"] in parts[10:]] == parts[10:]


def test_an_absence_is_an_alert_until_it_is_over(
    sqlite_url: str, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(absence, "ALERT_AFTER_S", 0.2)
    engine = engine_for(sqlite_url)
    shutil.rmtree(drop)

    def raised() -> list[str]:
        return [one.kind for one in alerts.open_alerts(engine)]

    with dispatching(engine, a_drop(drop)):
        a_lot(engine, 1)
        until(lambda: raised() == ["receiver_away"])
        assert "No such file" in str(shown(engine)["problem"])
        drop.mkdir()
        until(lambda: raised() == [])
    assert len(dropped(drop)) == 1
