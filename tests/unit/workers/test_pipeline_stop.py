"""The pipeline's stop, with a share that hangs and a database that is never asked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any, cast
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from db.inspections.records import InspectionRecord
from producer.contract import ImageRef, Reason
from producer.contract.message import Envelope
from tests.support.waiting import until
from workers.pipeline import pipeline as module
from workers.pipeline.batch_queue import BatchQueue
from workers.pipeline.batcher import MicroBatcher
from workers.pipeline.commit_request import CommitRequest
from workers.pipeline.committer import Committer
from workers.pipeline.inspection_request import InspectionRequest
from workers.pipeline.judge import Judge
from workers.pipeline.pipeline import Pipeline
from workers.pipeline.reader import PictureReader
from workers.pipeline.reply import DrainingError, Reply


class HungShare:
    """Reads nothing until it answers; then every picture is missing."""

    def __init__(self) -> None:
        self.answer = Event()
        self.asked = 0

    def read(self, request: InspectionRequest) -> InspectionRecord:
        self.asked += 1
        self.answer.wait(30)
        return request.rejected(Reason.MISSING, "gone")


def requests(count: int) -> list[InspectionRequest]:
    now = datetime.now(UTC)
    envelope = Envelope(product="cable", line="L1", enqueued_at=now)
    return [
        InspectionRequest(
            ImageRef(id=uuid4(), uri="/x.png", camera="C1", captured_at=now), envelope, "w1"
        )
        for _ in range(count)
    ]


def made(share: HungShare, committer: Committer, *, decode_threads: int) -> Pipeline:
    return Pipeline(
        reader=cast(PictureReader, share),
        judge=cast(Judge, None),
        committer=committer,
        batches=BatchQueue(MicroBatcher(4, 0.01)),
        max_batch=4,
        decode_threads=decode_threads,
    )


@pytest.fixture
def committer() -> Committer:
    nothing = cast(Any, None)
    return Committer(nothing, nothing, timezone=ZoneInfo("UTC"), depth=64)


@pytest.fixture
def share() -> Iterator[HungShare]:
    share = HungShare()
    yield share
    share.answer.set()


def test_a_share_that_hangs_holds_up_neither_the_stop_nor_any_message(
    share: HungShare, committer: Committer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DECODERS_END_S", 0.2)
    pipeline = made(share, committer, decode_threads=3)
    pipeline.start()
    single = requests(1)
    reader = Thread(target=pipeline.inspect, args=(single,), daemon=True)  # it hangs, as a task's
    reader.start()
    until(lambda: share.asked == 1, 10)
    reply = pipeline.inspect(
        requests(12)
    )  # two are being read, one waits for its turn, nine for it
    until(lambda: share.asked == 3, 10)

    began = time.monotonic()
    hung = pipeline.stop()

    assert time.monotonic() - began < 2
    assert len(hung) == 4, "three that are read, and one that a decoder has in hand"
    assert single[0].id in hung
    reply.wait()
    assert len(reply.failures) == 12
    assert {type(error) for error in reply.failures.values()} == {DrainingError}
    assert pipeline.in_flight.begun == pipeline.in_flight.finished == 13
    share.answer.set()  # what comes now comes too late, and changes nothing
    reader.join(10)
    assert len(reply.failures) == 12
    assert pipeline.in_flight.finished == 13


def test_a_message_that_begins_after_the_stop_goes_back(
    share: HungShare, committer: Committer
) -> None:
    pipeline = made(share, committer, decode_threads=1)
    pipeline.start()
    pipeline.stop()
    for count in (1, 3):
        with pytest.raises(DrainingError):
            pipeline.inspect(requests(count)).result()
    assert share.asked == 0


def test_a_row_that_comes_after_the_last_commit_goes_back(committer: Committer) -> None:
    committer.start()
    committer.stop(10)
    record = requests(1)[0].rejected(Reason.MISSING, "gone")
    reply = Reply(1)
    committer.put([CommitRequest(record, None, reply)])
    with pytest.raises(DrainingError):
        reply.result()
