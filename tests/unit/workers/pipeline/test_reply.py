"""Replies and credits, between real threads."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from threading import Thread
from uuid import uuid4

import pytest

from db.inspections.records import Outcome
from producer.contract import Verdict
from workers.pipeline.reply import DrainingError, Reply
from workers.pipeline.semaphore import Semaphore

OUTCOME = Outcome(Verdict.PASS, None, None, None, None, datetime(2026, 1, 1, tzinfo=UTC))


def test_a_reply_of_nothing_is_there_at_once() -> None:
    assert Reply(0).result() == []


def test_a_reply_waits_for_every_picture() -> None:
    counted: list[int] = []
    reply = Reply(40, lambda: counted.append(1))
    settle = [
        Thread(target=lambda: [reply.settle(uuid4(), OUTCOME) for _ in range(10)]) for _ in range(4)
    ]
    waiter = Thread(target=reply.wait)
    waiter.start()
    for thread in settle[:3]:
        thread.start()
        thread.join()
    assert waiter.is_alive()
    settle[3].start()
    waiter.join(5)
    assert not waiter.is_alive()
    assert reply.result() == [OUTCOME] * 40
    assert len(counted) == 40


def test_the_worse_failure_is_raised() -> None:
    reply = Reply(3)
    reply.fail(uuid4(), DrainingError())
    reply.fail(uuid4(), ValueError("worse"))
    reply.settle(uuid4(), OUTCOME)
    with pytest.raises(ValueError, match="worse"):
        reply.result()


def test_a_picture_ends_once() -> None:
    counted: list[int] = []
    reply = Reply(2, lambda: counted.append(1))
    first, second = uuid4(), uuid4()
    reply.fail(first, DrainingError())
    for _ in range(3):
        reply.settle(first, OUTCOME)
        reply.fail(first, ValueError("late"))
    waiter = Thread(target=reply.wait, daemon=True)
    waiter.start()
    waiter.join(0.05)
    assert waiter.is_alive(), "the second picture has not ended"
    reply.settle(second, OUTCOME)
    reply.fail(second, ValueError("late"))
    waiter.join(5)
    assert not waiter.is_alive()
    assert reply.outcomes == [OUTCOME]
    assert [type(error) for error in reply.failures.values()] == [DrainingError]
    assert len(counted) == 2


def test_credits_are_taken_several_at_once_and_come_back() -> None:
    credits_ = Semaphore(5)
    assert credits_.take(3) == 3
    assert credits_.take(64) == 2
    got: list[int] = []
    waiter = Thread(target=lambda: got.append(credits_.take(4)))
    waiter.start()
    time.sleep(0.02)
    assert not got
    credits_.give(1)
    waiter.join(5)
    assert got == [1]


def test_closed_credits_hold_up_nobody() -> None:
    credits_ = Semaphore(1)
    assert credits_.take(1) == 1
    got: list[int] = []
    waiter = Thread(target=lambda: got.append(credits_.take(1)))
    waiter.start()
    credits_.close()
    waiter.join(5)
    assert got == [0]
