"""Batches that fail on the device: halves, limits, and who is to blame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from workers.batch_limit import BatchLimit
from workers.committing import Committer, Pending
from workers.device import Device, Waiting
from workers.judging import Judge
from workers.reply import DrainingError, NotJudgedError, Reply


class Collector:
    """A committer that keeps what it is given."""

    def __init__(self) -> None:
        self.rows: list[Any] = []

    def put(self, rows: Sequence[Pending]) -> None:
        self.rows += [pending.record for pending in rows]


class Bench:
    """A device whose judge calls `check` with the ids of each batch, then returns them as rows."""

    def __init__(self, count: int, check: Callable[[list[UUID]], None]) -> None:
        self.sizes: list[int] = []
        self.ids = [uuid4() for _ in range(count)]
        self.reply = Reply(count)
        self.limit = BatchLimit(count)
        self.collector = Collector()

        def judge(batch: Sequence[Any]) -> list[UUID]:
            ids = [picture.work.id for picture in batch]
            self.sizes.append(len(ids))
            check(ids)
            return ids

        self.lost = 0
        self.device = Device(
            cast(Judge, SimpleNamespace(judge=judge)),
            cast(Committer, self.collector),
            self.limit,
            self.count_loss,
        )

    def count_loss(self) -> None:
        self.lost += 1

    def run(self) -> None:
        envelope = SimpleNamespace(producer=None)
        pictures: list[Any] = [
            SimpleNamespace(work=SimpleNamespace(id=id_, envelope=envelope)) for id_ in self.ids
        ]
        self.device.judge([Waiting(picture, self.reply, 0.0) for picture in pictures])


def test_a_bad_picture_fails_alone_and_is_found_by_halving() -> None:
    bench: Bench

    def check(ids: list[UUID]) -> None:
        if bench.ids[13] in ids:
            raise ValueError("bad picture")

    bench = Bench(32, check)
    bench.run()
    assert set(bench.collector.rows) == set(bench.ids) - {bench.ids[13]}
    assert bench.collector.rows == [id_ for id_ in bench.ids if id_ != bench.ids[13]]
    assert list(bench.reply.failures) == [bench.ids[13]]
    assert isinstance(bench.reply.failures[bench.ids[13]], NotJudgedError)
    assert len(bench.sizes) == 1 + 2 * 5
    assert bench.limit.value == 32


def test_too_little_memory_halves_the_limit_and_blames_no_picture() -> None:
    def check(ids: list[UUID]) -> None:
        if len(ids) > 5:
            raise RuntimeError("CUDA out of memory")

    bench = Bench(16, check)
    bench.run()
    assert bench.collector.rows == bench.ids
    assert not bench.reply.failures
    assert bench.limit.value == 4


def test_no_memory_even_for_one_is_not_the_pictures_fault() -> None:
    def check(ids: list[UUID]) -> None:
        raise MemoryError

    bench = Bench(2, check)
    bench.run()
    assert [type(error) for error in bench.reply.failures.values()] == [MemoryError, MemoryError]
    assert bench.limit.value == 1


def test_all_bad_is_reported_for_each() -> None:
    def check(ids: list[UUID]) -> None:
        raise ValueError("no")

    bench = Bench(3, check)
    bench.run()
    assert bench.reply.failures.keys() == set(bench.ids)
    with pytest.raises(NotJudgedError, match="could not be judged"):
        bench.reply.result()


def test_a_lost_device_gives_everything_back_and_is_asked_no_more() -> None:
    def check(ids: list[UUID]) -> None:
        raise RuntimeError("CUDA error: device-side assert triggered")

    bench = Bench(8, check)
    bench.run()
    assert {type(error) for error in bench.reply.failures.values()} == {DrainingError}
    bench.reply = Reply(8)
    bench.run()
    assert bench.reply.failures.keys() == set(bench.ids)
    assert (bench.sizes, bench.lost) == ([8], 1)
