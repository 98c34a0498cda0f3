"""Whom a worker's death is blamed on, and whom a lost device is not."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine

from db.inspections import dead_letters, suspects
from db.inspections.records import InspectionRecord, Outcome
from producer.contract import ImageRef, Reason, SigningKeys, Verdict, parse_message
from producer.contract.message import Envelope
from workers.health.suspects import Suspects
from workers.pipeline.inspection_request import InspectionRequest
from workers.pipeline.reply import DrainingError, NotJudgedError, Reply


class DeathError(BaseException):
    """The process is gone: nothing after this runs."""


class Line:
    """A pipeline in which `fate` befalls every picture; None: it is judged."""

    def __init__(self, fate: Callable[[], BaseException | None]) -> None:
        self.fate = fate

    def inspect(self, requests: Sequence[InspectionRequest]) -> Reply:
        reply = Reply(len(requests))
        for request in requests:
            error = self.fate()
            if isinstance(error, DeathError):
                raise error
            if error is None:
                reply.settle(request.id, Outcome.of(request.record(Verdict.PASS)))
            else:
                reply.fail(request.id, error)
        return reply

    def record(self, records: Sequence[InspectionRecord], producer: str | None) -> Reply:
        reply = Reply(len(records))
        for record in records:
            reply.settle(record.id, Outcome.of(record))
        return reply


def requests(count: int) -> list[InspectionRequest]:
    now = datetime.now(UTC)
    envelope = Envelope(product="cable", line="L1", enqueued_at=now)
    images = [
        ImageRef(id=uuid4(), uri="/x.png", camera="C1", captured_at=now) for _ in range(count)
    ]
    return [InspectionRequest(image, envelope, "w1") for image in images]


def buried(engine: Engine) -> dict[UUID | None, str]:
    return {letter.image_id: letter.payload for letter in dead_letters.newest(engine)}


def redeliver(
    engine: Engine, line: Line, message: Sequence[InspectionRequest], *, died: bool = True
) -> list[Reply]:
    lane: Any = Suspects(engine, line, "w1")  # type: ignore[arg-type]
    try:
        found: list[Reply] = lane.inspect(message, "task-1", died=died)
    except DeathError:
        return []
    return found


@pytest.mark.parametrize("count", [1, 3])
def test_a_lost_device_that_says_so_is_no_pictures_fault(engine: Engine, count: int) -> None:
    message = requests(count)
    for _ in range(5):
        redeliver(engine, Line(DrainingError), message)
    assert suspects.total(engine) == 0
    assert buried(engine) == {}


@pytest.mark.parametrize("fate", [DeathError, lambda: NotJudgedError("unknown words")])
def test_a_device_that_takes_the_worker_with_it_looks_like_a_deadly_picture(
    engine: Engine, fate: Callable[[], BaseException]
) -> None:
    (innocent,) = message = requests(1)
    for _ in range(2):  # and once before it was redelivered: three in all
        redeliver(engine, Line(fate), message)
    assert buried(engine) == {}
    (reply,) = redeliver(engine, Line(lambda: None), message)
    assert [outcome.reason for outcome in reply.result()] == [Reason.POISON]
    # It is kept, and can be sent again as it is.
    kept = parse_message(json.loads(buried(engine)[innocent.id]), SigningKeys.parse(""))
    assert [image.id for image in kept.images] == [innocent.id]


def test_one_picture_at_a_time_is_blamed_and_a_device_that_is_well_acquits(engine: Engine) -> None:
    message = requests(3)
    for _ in range(2):
        redeliver(engine, Line(DeathError), message)
    replies = redeliver(engine, Line(lambda: None), message)
    verdicts = [outcome.verdict for reply in replies for outcome in reply.result()]
    assert verdicts == [Verdict.DEAD_LETTER, Verdict.PASS, Verdict.PASS]
    assert buried(engine).keys() == {message[0].id}


@pytest.mark.parametrize("count", [1, 3])
def test_after_a_clean_hand_back_it_takes_three_deaths(engine: Engine, count: int) -> None:
    message = requests(count)
    redeliver(engine, Line(DeathError), message, died=False)
    for _ in range(2):
        assert buried(engine) == {}
        redeliver(engine, Line(DeathError), message)
    replies = redeliver(engine, Line(lambda: None), message)
    verdicts = [outcome.verdict for reply in replies for outcome in reply.result()]
    assert verdicts == [Verdict.DEAD_LETTER, *[Verdict.PASS] * (count - 1)]


def test_a_trial_that_a_hanging_share_held_up_counts_for_nothing(engine: Engine) -> None:
    message = requests(1)
    lane: Any = Suspects(engine, Line(DeathError), "w1")  # type: ignore[arg-type]
    redeliver(engine, Line(DeathError), message)
    assert suspects.total(engine) == 1
    lane.acquit([request.id for request in message])
    assert suspects.total(engine) == 0
    lane.acquit([])
