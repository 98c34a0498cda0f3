"""A dead letter that is sent again gets a verdict, and is accounted for at every moment."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import func, select

from db import audit, dead_letters, requeues, suspects
from db.dead_letters import Letter
from db.inspections import commit_inspections
from db.records import InspectionRecord
from db.rollup import discrepancies
from db.session import reading
from db.tables import Inspection
from linewatch.errors import DeadLetterError, QueueUnavailableError
from linewatch.requeueing import requeue
from producer.contract import Reason, Verdict
from tests.acceptance.live import Live, ids_of, message


def bury(plant: Live, reason: Reason = Reason.POISON) -> tuple[UUID, Letter]:
    """What a worker leaves when it has given a picture up."""
    payload = message(plant.picture())
    (id_,) = ids_of(payload)
    number = dead_letters.add(
        plant.engine, reason=reason, detail="d", payload=json.dumps(payload), image_id=id_
    )
    record = InspectionRecord(
        id=id_,
        verdict=Verdict.DEAD_LETTER,
        decided_at=datetime.now(UTC),
        product="widget",
        line="line-1",
        camera="cam-1",
        reason=reason,
    )
    commit_inspections(plant.engine, [record], plant.settings.timezone)
    suspects.begin_trial(plant.engine, [id_], alone=True, worker="w")
    letter = dead_letters.get(plant.engine, number)
    assert letter is not None
    return id_, letter


def accounted(plant: Live) -> int:
    with reading(plant.engine) as connection:
        return int(connection.execute(select(func.count()).select_from(Inspection)).scalar_one())


def judged(plant: Live, id_: UUID) -> bool:
    return plant.outcomes([id_])[id_].verdict is Verdict.REVIEW


def test_a_requeued_picture_is_judged_in_place_of_its_dead_letter(plant: Live) -> None:
    id_, letter = bury(plant)
    sent = requeue(plant.engine, plant.settings, letter, by="ann")
    assert (sent.pictures, sent.replacing) == (1, 1)
    assert plant.outcomes([id_])[id_].verdict is Verdict.DEAD_LETTER  # until there is another
    assert requeues.awaited_letters(plant.engine) == {letter.id: 1}
    assert suspects.counts(plant.engine, [id_]) == {}
    assert audit.newest(plant.engine, 1)[0].action == "dead_letter.requeue"
    plant.worker()
    plant.until(lambda: judged(plant, id_), 30, "a new verdict")
    assert accounted(plant) == 1
    assert requeues.awaited_letters(plant.engine) == {}
    assert discrepancies(plant.engine, plant.settings.timezone) == {}
    first = plant.outcomes([id_])
    requeue(plant.engine, plant.settings, letter, by="ann")  # once more: nothing left to replace
    plant.until(lambda: plant.waiting() + plant.held() == 0, 20, "an empty queue")
    assert plant.outcomes([id_]) == first


def test_a_requeue_cut_off_before_it_was_sent_loses_nothing_and_can_be_repeated(
    plant: Live,
) -> None:
    id_, letter = bury(plant)
    away = plant.settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    with pytest.raises(QueueUnavailableError):
        requeue(plant.engine, away, letter, by="ann")
    assert plant.outcomes([id_])[id_].verdict is Verdict.DEAD_LETTER
    assert requeues.awaited_letters(plant.engine) == {letter.id: 1}
    for _ in range(3):  # and more often than needed
        requeue(plant.engine, plant.settings, letter, by="ann")
    plant.worker()
    plant.until(lambda: judged(plant, id_), 30, "a new verdict")
    plant.until(lambda: plant.waiting() + plant.held() == 0, 20, "an empty queue")
    assert accounted(plant) == 1
    assert discrepancies(plant.engine, plant.settings.timezone) == {}


def test_without_leave_a_dead_letter_stays(plant: Live) -> None:
    id_, letter = bury(plant)
    plant.worker()
    plant.enqueue(json.loads(letter.payload))
    plant.until(lambda: plant.waiting() + plant.held() == 0, 20, "an empty queue")
    assert plant.outcomes([id_])[id_].verdict is Verdict.DEAD_LETTER


def test_a_requeued_message_that_is_redelivered_is_judged_too(plant: Live) -> None:
    id_, letter = bury(plant)
    requeue(plant.engine, plant.settings, letter, by="ann")
    raw = json.loads(plant.redis.rpop("inspect"))
    raw["properties"]["delivery_info"]["redelivered"] = True  # as kombu marks what it restores
    raw["headers"]["redelivered"] = True
    plant.redis.lpush("inspect", json.dumps(raw))
    plant.worker()
    plant.until(lambda: judged(plant, id_), 30, "a new verdict")
    assert discrepancies(plant.engine, plant.settings.timezone) == {}


def test_what_nobody_signed_needs_a_person_who_vouches(plant: Live) -> None:
    id_, letter = bury(plant, Reason.BAD_SIGNATURE)
    with pytest.raises(DeadLetterError, match="--trust"):
        requeue(plant.engine, plant.settings, letter, by="ann")
    assert requeues.awaited(plant.engine, [id_]) == frozenset()
    assert plant.waiting() == 0
    requeue(plant.engine, plant.settings, letter, by="ann", trust=True)
    assert plant.waiting() == 1


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        ('{"version": 1, "ima', "no whole message"),
        ("[1, 2]", "no message with images"),
        ('{"version": 9, "images": [{}]}', "would be refused again"),
        ('{"headers": {"task": "other"}, "body": "W10="}', "not a linewatch.inspect task"),
    ],
)
def test_what_holds_no_message_cannot_be_sent(plant: Live, payload: str, says: str) -> None:
    number = dead_letters.add(plant.engine, reason="unreadable_message", detail="", payload=payload)
    letter = dead_letters.get(plant.engine, number)
    assert letter is not None
    with pytest.raises(DeadLetterError, match=says):
        requeue(plant.engine, plant.settings, letter, by="ann")
    assert plant.waiting() == 0
