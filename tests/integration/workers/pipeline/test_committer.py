"""Whom the committer tells of its commits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import redis
from sqlalchemy import Engine

from db.inspections.records import InspectionRecord
from producer.contract import ImageRef, Receipt, Verdict
from producer.contract.message import Envelope
from workers.pipeline.committer import Committer
from workers.pipeline.inspection_request import InspectionRequest
from workers.pipeline.receipts import ReceiptWriter
from workers.pipeline.reply import Reply


def judged(picture: UUID) -> InspectionRequest:
    now = datetime.now(UTC)
    image = ImageRef(id=picture, uri="/x.png", camera="C1", captured_at=now)
    request = InspectionRequest(image, Envelope(product="cable", line="L1", enqueued_at=now), "w1")
    request.reply = Reply(1)
    request.judged(request.record(Verdict.PASS))
    return request


def test_listeners_are_told_what_is_new_and_when_commits_run(
    engine: Engine, redis_url: str
) -> None:
    told: list[object] = []

    def first(rows: Sequence[InspectionRecord]) -> None:
        told.append(("first", [row.id for row in rows]))

    def second(rows: Sequence[InspectionRecord]) -> None:
        told.append(("second", [row.id for row in rows]))

    with redis.Redis.from_url(redis_url) as client:
        committer = Committer(
            engine,
            ReceiptWriter(client),
            timezone=ZoneInfo("UTC"),
            depth=8,
            on_busy=told.append,
            on_commit=[first, second],
        )
        committer.start()
        picture = uuid4()
        deliveries = [judged(picture), judged(picture)]
        for request in deliveries:
            committer.put([request])
            assert request.reply.wait(20)
        committer.stop(5)
    assert told == [
        *(True, ("first", [picture]), ("second", [picture]), False),
        *(True, ("first", []), ("second", []), False),
    ]
    assert [outcome.verdict for r in deliveries for outcome in r.reply.outcomes] == ["pass"] * 2
    assert not any(hasattr(request, "row") for request in deliveries), "rows stay in memory"


def test_what_nobody_foresaw_sends_its_rows_back_and_ends_no_commit(
    engine: Engine, redis_url: str
) -> None:
    class Broken(ReceiptWriter):
        """As a library with a fault of its own; the first time."""

        def send(self, receipts: Iterable[tuple[str, Receipt]]) -> None:
            """Fail once."""
            if not broken:
                broken.append(True)
                raise RuntimeError("nobody foresaw this")
            super().send(receipts)

    broken: list[bool] = []
    with redis.Redis.from_url(redis_url) as client:
        committer = Committer(engine, Broken(client), timezone=ZoneInfo("UTC"), depth=8)
        committer.start()
        first, second = judged(uuid4()), judged(uuid4())
        for request in (first, second):
            committer.put([request])
            assert request.reply.wait(20)
        committer.stop(5)
    assert [type(error) for error in first.reply.failures.values()] == [RuntimeError]
    assert [outcome.verdict for outcome in second.reply.outcomes] == ["pass"]
