"""Replies and credits, between real threads."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from threading import Thread
from uuid import uuid4

import pytest

from db.records import Outcome
from producer.contract import Verdict
from workers.credits import Credits
from workers.decode_pool import DecodePool
from workers.reply import DrainingError, Reply

OUTCOME = Outcome(Verdict.PASS, None, None, None, None, datetime(2026, 1, 1, tzinfo=UTC))


def test_a_reply_of_nothing_is_there_at_once() -> None:
    assert Reply(0).result() == []


def test_a_reply_waits_for_every_picture() -> None:
    counted: list[int] = []
    reply = Reply(40, lambda: counted.append(1))
    settle = [Thread(target=lambda: [reply.settle(OUTCOME) for _ in range(10)]) for _ in range(4)]
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
    reply.settle(OUTCOME)
    with pytest.raises(ValueError, match="worse"):
        reply.result()


def test_credits_are_taken_several_at_once_and_come_back() -> None:
    credits_ = Credits(5)
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
    credits_ = Credits(1)
    assert credits_.take(1) == 1
    got: list[int] = []
    waiter = Thread(target=lambda: got.append(credits_.take(1)))
    waiter.start()
    credits_.close()
    waiter.join(5)
    assert got == [0]


def test_a_decode_pool_decodes_what_waits_before_it_stops() -> None:
    done: list[int] = []
    pool = DecodePool[int](2, done.append)
    pool.put(range(50))
    pool.start()
    pool.stop(5)
    assert sorted(done) == list(range(50))


def test_a_picture_is_decoded_here_only_when_nobody_waits() -> None:
    where: list[tuple[int, str]] = []

    def decode(item: int) -> None:
        from threading import current_thread

        where.append((item, current_thread().name))

    pool = DecodePool[int](1, decode)
    pool.here(1)
    assert where == [(1, "MainThread")]
    pool.put([2])
    pool.here(3)  # its turn is after 2
    assert len(where) == 1
    pool.start()
    pool.stop(5)
    assert [item for item, _ in where] == [1, 2, 3]
    assert where[2][1] != "MainThread"
