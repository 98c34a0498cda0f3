"""Waiting for the pictures of a message, and telling how far they are."""

from __future__ import annotations

from datetime import UTC, datetime
from threading import Event, Thread
from types import SimpleNamespace
from uuid import uuid4

import pytest
from celery.worker import state

from db.inspections.records import Outcome
from producer.contract import Verdict
from workers.pipeline import progress
from workers.pipeline.reply import DrainingError, Reply


def outcome(verdict: Verdict) -> Outcome:
    return Outcome(verdict, None, None, None, None, datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture(autouse=True)
def _short_periods(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PERIOD_S", 0.02)


class Told:
    """Collects what is told, and lets the test wait for the next word."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.word = Event()

    def __call__(self, text: str) -> None:
        self.texts.append(text)
        self.word.set()

    def next(self) -> str:
        assert self.word.wait(10)
        self.word.clear()
        return self.texts[-1]


@pytest.fixture
def told() -> Told:
    return Told()


def test_each_time_more_is_done_it_is_told_and_nothing_else_is(told: Told) -> None:
    reply, other = Reply(3), Reply(1)
    known = [outcome(Verdict.PASS)]
    waiter = Thread(target=progress.wait, args=([reply, other], known, told), daemon=True)
    waiter.start()
    assert not told.word.wait(0.1), "nothing is done yet but what was known before"
    reply.settle(uuid4(), outcome(Verdict.PASS))
    assert told.next() == "2 of 5: 2 pass"
    other.settle(uuid4(), outcome(Verdict.REJECTED))
    assert told.next() == "3 of 5: 2 pass · 1 rejected"
    assert not told.word.wait(0.1)
    reply.fail(uuid4(), DrainingError())
    reply.settle(uuid4(), outcome(Verdict.PASS))
    waiter.join(10)
    assert not waiter.is_alive()


def test_what_is_done_in_time_tells_nothing(told: Told) -> None:
    reply = Reply(2)
    reply.settle(uuid4(), outcome(Verdict.PASS))
    reply.settle(uuid4(), outcome(Verdict.PASS))
    progress.wait([reply], [], told)
    assert told.texts == []


def test_a_single_picture_has_no_progress(told: Told) -> None:
    reply = Reply(1)
    waiter = Thread(target=progress.wait, args=([reply], [], told), daemon=True)
    waiter.start()
    assert not told.word.wait(0.1)
    reply.settle(uuid4(), outcome(Verdict.PASS))
    waiter.join(10)
    assert not waiter.is_alive()
    assert told.texts == []


def test_an_event_that_cannot_be_sent_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[object] = []

    def send_event(kind: str, result: str) -> None:
        sent.append((kind, result))
        raise ConnectionError("Redis is away")

    monkeypatch.setitem(state.requests, "t1", SimpleNamespace(send_event=send_event))
    progress.tell_flower("t1", "1 of 2: 1 pass")
    progress.tell_flower("gone", "1 of 2: 1 pass")
    assert sent == [("task-progress", "1 of 2: 1 pass")]
