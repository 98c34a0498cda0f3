"""The decode pool, with decoders that take as long as the test says."""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import Event, Thread, current_thread

import pytest

from tests.support.waiting import until
from workers.pipeline.decode_pool import DecodePool


class Share:
    """Decodes; hangs with the items in `hanging` until it answers."""

    def __init__(self, *hanging: int) -> None:
        self.hanging = set(hanging)
        self.answer = Event()
        self.begun: list[int] = []
        self.done: list[int] = []

    def decode(self, item: int) -> None:
        self.begun.append(item)
        if item in self.hanging:
            self.answer.wait(30)
        self.done.append(item)


@pytest.fixture
def share() -> Iterator[Share]:
    """A share that hangs with items 0 and 1, until the test ends."""
    share = Share(0, 1)
    yield share
    share.answer.set()


def test_what_is_put_is_decoded_once() -> None:
    share = Share()
    pool = DecodePool[int](2, share.decode)
    assert pool.put(range(50)) == []
    pool.start()
    until(lambda: len(share.done) == 50, 10)
    assert pool.close() == []
    assert pool.wait(10) == []
    assert sorted(share.done) == list(range(50))


def test_a_picture_is_decoded_here_only_when_nobody_waits() -> None:
    where: list[tuple[int, str]] = []
    pool = DecodePool[int](1, lambda item: where.append((item, current_thread().name)))
    pool.here(1)
    assert where == [(1, "MainThread")]
    pool.put([2])
    pool.here(3)  # its turn is after 2
    assert len(where) == 1
    pool.start()
    until(lambda: len(where) == 3, 10)
    assert [item for item, _ in where] == [1, 2, 3]
    assert where[2][1] != "MainThread"


def test_closing_gives_back_what_was_not_begun(share: Share) -> None:
    pool = DecodePool[int](2, share.decode)
    pool.start()
    pool.put([0, 1])
    until(lambda: len(share.begun) == 2, 10)
    pool.put([2, 3, 4])
    assert pool.close() == [2, 3, 4]
    share.answer.set()
    assert pool.wait(10) == []
    assert share.done == [0, 1] or share.done == [1, 0]


def test_one_deadline_holds_for_all_that_hang(share: Share) -> None:
    pool = DecodePool[int](2, share.decode)
    pool.start()
    pool.put([0, 1])
    until(lambda: len(share.begun) == 2, 10)
    assert pool.close() == []
    began = time.monotonic()
    assert sorted(pool.wait(0.2)) == [0, 1]
    assert time.monotonic() - began < 0.39, "not 0.2 s for each"


def test_what_hangs_in_a_callers_thread_is_known_and_so_is_what_waits_behind_it(
    share: Share,
) -> None:
    pool = DecodePool[int](1, share.decode)
    pool.start()
    caller = Thread(target=pool.here, args=(0,), daemon=True)
    caller.start()
    until(lambda: share.begun == [0], 10)
    pool.put([7])
    until(pool._queue.empty, 10)  # a decoder has taken it, and waits for its permit
    assert pool.close() == []
    assert sorted(pool.wait(0.1)) == [0, 7]
    share.answer.set()
    assert pool.wait(10) == []
    caller.join(10)


def test_what_comes_after_closing_goes_back(share: Share) -> None:
    pool = DecodePool[int](1, share.decode)
    pool.start()
    pool.put([0])
    until(lambda: share.begun == [0], 10)
    assert pool.close() == []
    assert pool.put([2, 3]) == [2, 3]
    assert pool.here(4) == [4]
    share.answer.set()
    assert pool.wait(10) == []
    assert share.done == [0]
