"""Batches that fail on the device: halves, limits, and who is to blame."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
import torch

from producer.contract import ImageRef
from producer.contract.message import Envelope
from tests.support.spaces import bare_space
from workers.pipeline.batch_limit import BatchLimit
from workers.pipeline.committer import Committer
from workers.pipeline.device import Device
from workers.pipeline.inspection_request import InspectionRequest, PreparedPicture
from workers.pipeline.judge import Judge
from workers.pipeline.reply import DrainingError, NotJudgedError, Reply
from workers.pipeline.stage_timing import Stage, StageTiming


class Collector:
    """A committer that keeps what it is given."""

    def __init__(self) -> None:
        self.rows: list[Any] = []

    def put(self, rows: Sequence[InspectionRequest]) -> None:
        self.rows += [request.row for request in rows]


class Bench:
    """A device whose judge calls `check` with the ids of each batch, and `read` makes them rows."""

    def __init__(
        self,
        count: int,
        check: Callable[[list[UUID]], None],
        read: Callable[[list[UUID]], list[UUID]] = lambda ids: ids,
    ) -> None:
        self.sizes: list[int] = []
        self.ids = [uuid4() for _ in range(count)]
        self.reply = Reply(count)
        self.limit = BatchLimit(count)
        self.collector = Collector()

        def judge(batch: Sequence[Any]) -> list[UUID]:
            ids = [request.id for request in batch]
            self.sizes.append(len(ids))
            check(ids)
            return ids

        self.lost = 0
        self.timing = StageTiming()
        self.device = Device(
            cast(Judge, SimpleNamespace(launch=judge, finish=read)),
            cast(Committer, self.collector),
            self.limit,
            self.count_loss,
            self.timing,
        )

    def count_loss(self) -> None:
        self.lost += 1

    def requests(self) -> list[InspectionRequest]:
        made = []
        now = datetime.now(UTC)
        envelope = Envelope(product="cable", line="L1", enqueued_at=now)
        for id_ in self.ids:
            image = ImageRef(id=id_, uri="/x.png", camera="C1", captured_at=now)
            made.append(request := InspectionRequest(image, envelope, "w1"))
            request.reply = self.reply
            request.picture = PreparedPicture(
                torch.zeros(3, 1, 1, dtype=torch.uint8), "0" * 64, bare_space("f" * 64)
            )
        return made

    def run(self) -> None:
        self.device.judge(self.requests())


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


def two_batches(bench: Bench) -> None:
    """Launch both halves of the pictures before the first is finished, as a pipeline does."""
    requests = bench.requests()
    half = len(requests) // 2
    under_way = [bench.device.launch(requests[:half]), bench.device.launch(requests[half:])]
    for each in under_way:
        bench.device.finish(each)


def test_a_launch_that_fails_is_dealt_with_after_what_was_launched_before() -> None:
    bench: Bench

    def check(ids: list[UUID]) -> None:
        if len(ids) > 3 and bench.ids[7] in ids:
            raise RuntimeError("CUDA out of memory")

    bench = Bench(8, check)
    two_batches(bench)
    assert bench.collector.rows == bench.ids
    assert bench.sizes == [4, 4, 2, 2]
    assert bench.limit.value == 2


@pytest.mark.parametrize("when", ["launch", "read"])
def test_a_device_lost_under_two_batches_gives_both_back(when: str) -> None:
    """CUDA reports a kernel's failure at any later call: at the next launch, or at a result."""
    bench: Bench
    lost = RuntimeError("CUDA error: an illegal memory access was encountered")

    def check(ids: list[UUID]) -> None:
        if when == "launch" and bench.ids[7] in ids:
            raise lost

    def read(ids: list[UUID]) -> list[UUID]:
        if when == "read" or len(bench.sizes) > 1:  # nothing can be read any more
            raise lost
        return ids

    bench = Bench(8, check, read)
    two_batches(bench)
    assert not bench.collector.rows
    assert bench.reply.failures.keys() == set(bench.ids)
    assert {type(error) for error in bench.reply.failures.values()} == {DrainingError}
    assert (bench.sizes, bench.lost, bench.device.lost) == ([4, 4], 1, True)


def test_a_picture_whose_results_cannot_be_read_is_found_by_halving() -> None:
    bench: Bench

    def read(ids: list[UUID]) -> list[UUID]:
        if bench.ids[1] in ids:
            raise ValueError("bad picture")
        return ids

    bench = Bench(8, lambda ids: None, read)
    two_batches(bench)
    assert list(bench.reply.failures) == [bench.ids[1]]
    assert bench.collector.rows == [id_ for id_ in bench.ids if id_ != bench.ids[1]]


def test_a_batch_behind_another_is_not_timed_twice() -> None:
    seconds: list[float] = []

    def observe(stage: Stage, pictures: int, took: float) -> None:
        seconds.append(took)

    bench = Bench(8, lambda ids: time.sleep(0.05))
    bench.timing.add(observe)
    began = time.perf_counter()
    two_batches(bench)
    assert sum(seconds) <= time.perf_counter() - began


@pytest.mark.parametrize("fails", [False, True])
def test_no_pixels_outlive_the_judging(fails: bool) -> None:
    """A message's requests stay until all its pictures have ended; thousands may be in it."""

    def check(ids: list[UUID]) -> None:
        if fails:
            raise ValueError("bad picture")

    bench = Bench(3, check)
    requests = bench.requests()
    bench.device.judge(requests)
    assert [request.picture for request in requests] == [None] * 3
    with pytest.raises(ValueError, match="its pixels are gone"):
        _ = requests[0].prepared
