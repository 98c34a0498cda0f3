"""The notifier, on both databases, telling real servers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from console.words import say
from db import alerts
from db.alerting import leases, notices, seen_to
from db.session import engine_for
from linewatch.alerting import notifier as notifier_module
from linewatch.alerting.file import parse
from linewatch.alerting.messages import Message
from linewatch.alerting.notifier import LEASE, Notifier
from linewatch.alerting.rules import AlertsFile
from linewatch.alerting.sending import Sender
from linewatch.settings import Settings
from tests.support.committed import committed
from tests.support.told import Hook, Mailbox, smtp_server, web_server
from workers.fleet import FleetWorker
from workers.health.line_settings import LATE

QUIET_RULES = {
    name: {"on": "false"}
    for name in (
        *("camera_silent", "worker_silent", "queue_age"),
        *("review_backlog", "shift_unverified"),
    )
}


def nobody(_: Settings) -> list[FleetWorker]:
    """No worker answers."""
    return []


@pytest.fixture
def engine(database_url: str) -> Engine:
    return engine_for(database_url)


@pytest.fixture
def hook() -> Iterator[Hook]:
    with web_server() as hook:
        yield hook


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with smtp_server() as mailbox:
        yield mailbox


@pytest.fixture
def notifier(
    engine: Engine, make_settings: Callable[..., Settings], redis_url: str
) -> Callable[..., Notifier]:
    settings = make_settings(redis_url=redis_url)

    def make(name: str, channels: dict[str, Any], **addresses: str) -> Notifier:
        file: AlertsFile = parse({"rules": QUIET_RULES, "channels": channels}, "a test")
        return Notifier(engine, settings, file, Sender(addresses), name=name, ask=nobody, words=say)

    return make


def an_alert(engine: Engine, message: str = "L1 drifts", **fields: Any) -> int:
    usual = {"kind": "drift", "severity": "warning", "line": "L1", "message": message}
    return committed(engine, alerts.raise_alert, **{**usual, **fields})


def test_people_are_told_by_mail_and_webhook(
    engine: Engine, notifier: Callable[..., Notifier], hook: Hook, mailbox: Mailbox
) -> None:
    an_alert(engine, "L1 drifts <b>\r\nBcc: eve@evil.example")
    one = notifier("a", {"day": {"to": ["mail", hook.url]}}, mail=mailbox.url)
    assert one.round()
    assert one.round()
    (mail,), (text,) = mailbox.mails, mailbox.texts()
    assert mail["subject"] == "Linewatch: warning, drift on L1"
    assert mail["to"] == "ida@plant.example"
    assert mail["bcc"] is None
    assert "L1 drifts" in text
    (call,) = hook.calls
    assert call["type"] == "warning"
    assert "L1 drifts" in call["message"]


def test_people_are_told_in_their_language(
    engine: Engine, notifier: Callable[..., Notifier], hook: Hook, mailbox: Mailbox
) -> None:
    an_alert(engine, LATE.format(line="L1", budget="0.5"), kind="takt", severity="critical")
    channels = {"day": {"to": "mail", "language": "de"}, "boss": {"to": hook.url}}
    one = notifier("a", channels, mail=mailbox.url)
    one.round()
    (mail,), (text,) = mailbox.mails, mailbox.texts()
    assert mail["subject"] == "Linewatch: kritisch, takt an L1"
    assert "L1: Urteile kommen später als das Taktbudget von 0.5 s" in " ".join(text.split())
    (call,) = hook.calls
    assert "L1: verdicts come later than its takt budget of 0.5 s" in call["message"]


def test_two_notifiers_tell_once(
    engine: Engine, notifier: Callable[..., Notifier], hook: Hook
) -> None:
    for number in range(5):
        an_alert(engine, f"alert {number}")
    two = [notifier(name, {"day": {"to": hook.url}}) for name in "ab"]
    with ThreadPoolExecutor(2) as pool:
        for _ in range(5):
            held = list(pool.map(Notifier.round, two))
            assert sum(held) == 1
    assert len(hook.calls) == 1
    assert all(f"alert {number}" in hook.calls[0]["message"] for number in range(5))

    # the one that works ends; the other takes its place, and tells nothing twice
    leases.give_up(engine, LEASE, "a")
    leases.give_up(engine, LEASE, "b")
    an_alert(engine, "one more")
    first = next(one for one in two if one.name != leases.holder(engine, LEASE).name)
    assert first.round()
    assert len(hook.calls) == 2
    assert "alert 0" not in hook.calls[1]["message"]


class SlowSender(Sender):
    """Takes its time, by a clock of its own; keeps the addresses that it was given."""

    def __init__(self) -> None:
        super().__init__({})
        self.given: list[str] = []
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def send(self, to: str, message: Message) -> str | None:
        self.given.append(to)
        self.now += 0.6
        return None


def test_what_would_be_sent_after_its_claim_is_over_is_left_to_who_claims_it_next(
    engine: Engine, make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifier_module, "_SENDING", timedelta(seconds=1))
    an_alert(engine)
    file = parse({"rules": QUIET_RULES, "channels": {"day": {"to": ["one", "two"]}}}, "a test")
    settings, slow = make_settings(), SlowSender()
    monkeypatch.setattr(notifier_module, "time", slow)
    first = Notifier(engine, settings, file, slow, name="a", ask=nobody)
    assert first.round()
    assert slow.given == ["one"]
    leases.give_up(engine, LEASE, "a")
    time.sleep(1.0)
    assert Notifier(engine, settings, file, slow, name="b", ask=nobody).round()
    assert slow.given == ["one", "two"]


def test_what_was_not_taken_is_tried_again_later(
    engine: Engine, notifier: Callable[..., Notifier], hook: Hook, mailbox: Mailbox
) -> None:
    number = an_alert(engine)
    hook.refuses = True
    one = notifier("a", {"day": {"to": [mailbox.url, hook.url]}})
    one.round()
    one.round()
    kept = notices.of_alerts(engine, [number])[notices.subject_of(number)]
    state = {notice.key.channel: notice for notice in kept}
    assert state["day"].told_at is not None
    assert state["day 2"].told_at is None
    assert "did not take it" in (state["day 2"].problem or "")
    pause = (state["day 2"].next_at or datetime.now(UTC)) - datetime.now(UTC)
    assert timedelta(seconds=5) < pause <= timedelta(seconds=15)

    hook.refuses = False
    now = committed(engine, notices.failed, [state["day 2"].key], "", timedelta(seconds=-1))
    assert now is None
    one.round()
    assert (len(hook.calls), len(mailbox.mails)) == (1, 1)


def test_nobody_is_told_in_quiet_hours_but_of_what_cannot_wait(
    engine: Engine, notifier: Callable[..., Notifier], hook: Hook
) -> None:
    an_alert(engine, "can wait")
    always = {"starts": "00:00", "ends": "00:00"}
    one = notifier("a", {"night": {"to": hook.url, "quiet": always}})
    one.round()
    assert hook.calls == []
    an_alert(engine, "cannot wait", severity="critical")
    one.round()
    (call,) = hook.calls
    assert "cannot wait" in call["message"]
    assert "can wait" not in call["message"].replace("cannot wait", "")


def test_what_somebody_takes_care_of_is_not_told(
    engine: Engine, notifier: Callable[..., Notifier], hook: Hook
) -> None:
    known, told = an_alert(engine, "known"), an_alert(engine, "told")
    committed(engine, seen_to.acknowledge, known, by="ida")
    one = notifier("a", {"day": {"to": hook.url, "tell_closed": "true"}})
    one.round()
    committed(engine, seen_to.close, known, by="ida")
    committed(engine, seen_to.close, told, by="ida", note="lamp changed")
    one.round()
    first, second = hook.calls
    assert "told" in first["message"]
    assert "known" not in first["message"] + second["message"]
    assert (second["type"], "closed by ida" in second["message"]) == ("success", True)
