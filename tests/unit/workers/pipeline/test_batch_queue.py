"""The batch queue between real threads."""

from __future__ import annotations

from threading import Thread

from workers.pipeline.batch_queue import BatchQueue
from workers.pipeline.batcher import MicroBatcher


def test_a_taker_gets_a_partial_batch_after_the_delay() -> None:
    queue = BatchQueue[int](MicroBatcher(64, 0.005))
    queue.put(1, lane="a")
    queue.put(2, lane="a")
    assert queue.take() == [1, 2]


def test_closing_wakes_the_taker_and_returns_what_waited() -> None:
    queue = BatchQueue[int](MicroBatcher(64, 60.0))
    got: list[list[int]] = []
    taker = Thread(target=lambda: got.append(queue.take()))
    taker.start()
    queue.put(1, lane="a")
    assert queue.close() == [1]
    taker.join(timeout=5)
    assert got == [[]]
    assert not queue.put(2, lane="a")


def test_many_producers_lose_nothing() -> None:
    queue = BatchQueue[int](MicroBatcher(7, 0.001))
    taken: list[int] = []

    def take() -> None:
        while batch := queue.take():
            taken.extend(batch)

    taker = Thread(target=take)
    taker.start()
    putters = [
        Thread(target=lambda base=base: [queue.put(base + n, lane=str(base)) for n in range(200)])
        for base in (0, 1000, 2000)
    ]
    for putter in putters:
        putter.start()
    for putter in putters:
        putter.join()
    while len(queue):
        pass
    left = queue.close()
    taker.join(timeout=5)
    assert sorted(taken + left) == sorted(b + n for b in (0, 1000, 2000) for n in range(200))


def test_the_taker_waits_for_what_is_expected_and_no_longer() -> None:
    queue = BatchQueue[int](MicroBatcher(64, 60.0))
    queue.expect(3)
    got: list[list[int]] = []
    taker = Thread(target=lambda: got.append(queue.take()))
    taker.start()
    queue.put(1, lane="a")
    queue.put(2, lane="a")
    taker.join(0.05)
    assert not got
    queue.excuse()  # the third was refused by the reader
    taker.join(5)
    assert got == [[1, 2]]


def test_a_batch_gathers_while_the_next_stage_is_busy() -> None:
    queue = BatchQueue[int](MicroBatcher(64, 60.0))
    queue.downstream(True)
    got: list[list[int]] = []
    taker = Thread(target=lambda: got.append(queue.take()))
    taker.start()
    queue.expect(2)
    queue.put(1, lane="a")
    queue.put(2, lane="a")
    taker.join(0.05)
    assert not got
    queue.downstream(False)
    taker.join(5)
    assert got == [[1, 2]]
