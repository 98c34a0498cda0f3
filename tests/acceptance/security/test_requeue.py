"""A dead letter that is sent again gets a verdict, and is accounted for at every moment."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select

from db import audit
from db.inspections import dead_letters, requeues, suspects
from db.inspections.dead_letters import Letter
from db.inspections.inspections import commit_inspections
from db.inspections.records import InspectionRecord
from db.inspections.rollup import discrepancies
from db.session import reading
from db.tables import Inspection
from linewatch.errors import DeadLetterError, QueueUnavailableError
from linewatch.requeue import requeue
from producer.contract import Reason, SigningKeys, Verdict, parse_message
from tests.acceptance.conftest import plant_settings
from tests.acceptance.faults.corpus_messages import entry
from tests.acceptance.live import Live, ids_of, live, message
from tests.support.committed import committed
from tests.support.redis_server import RedisServer
from workers.pipeline.inspection_request import InspectionRequest


@pytest.fixture(scope="module")
def queue(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Live]:
    """A system without workers, for tests that look at what lies in the queue."""
    folder = tmp_path_factory.mktemp("queue")
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start(appendonly="no")
    template = request.getfixturevalue("_sqlite_template")
    shutil.copy(template, folder / "linewatch.db")
    yield from live(plant_settings(folder, f"sqlite:///{folder}/linewatch.db", server.url, folder))
    server.stop()


def bury(plant: Live, reason: Reason = Reason.POISON) -> tuple[UUID, Letter]:
    """What a worker leaves when it has given a picture up."""
    payload = message(plant.picture())
    (id_,) = ids_of(payload)
    number = committed(
        plant.engine,
        dead_letters.add,
        reason=reason,
        detail="d",
        payload=json.dumps(payload),
        image_id=id_,
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
    committed(plant.engine, suspects.begin_trial, [id_], alone=True, worker="w")
    letter = dead_letters.get(plant.engine, number)
    assert letter is not None
    return id_, letter


def accounted(plant: Live) -> int:
    with reading(plant.engine) as connection:
        return int(connection.execute(select(func.count()).select_from(Inspection)).scalar_one())


def judged(plant: Live, id_: UUID) -> bool:
    return plant.outcomes([id_])[id_].verdict is Verdict.REVIEW


def anew(plant: Live, letter: Letter) -> Letter:
    """The letter as it is now."""
    found = dead_letters.get(plant.engine, letter.id)
    assert found is not None
    return found


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
    with pytest.raises(DeadLetterError, match=r"was sent again, at .* meanwhile"):
        requeue(plant.engine, plant.settings, letter, by="bob")  # who read it before ann sent it
    once_more = anew(plant, letter)  # nothing is left to replace
    requeue(plant.engine, plant.settings, once_more, by="ann")
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
        requeue(plant.engine, plant.settings, anew(plant, letter), by="ann")
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


KEYS = "new:" + "n" * 40 + ",old:" + "o" * 40


@pytest.mark.parametrize(
    ("forge", "goes"),
    [
        (lambda payload: payload, False),
        (lambda payload: SigningKeys.parse("new:" + "x" * 40).sign(payload), False),
        (lambda payload: SigningKeys.parse("gone:" + "x" * 40).sign(payload), False),
        (lambda payload: {**SigningKeys.parse(KEYS).sign(payload), "line": "line-2"}, False),
        (lambda payload: {**payload, "signature": {}}, False),
        (lambda payload: SigningKeys.parse(KEYS).sign(payload), True),
        (lambda payload: SigningKeys.parse("old:" + "o" * 40).sign(payload), True),
    ],
)
@pytest.mark.parametrize(("reason", "whole"), [("unreadable_message", True), ("poison", False)])
def test_what_is_kept_is_checked_again_whatever_the_letter_says(
    queue: Live, reason: str, forge: Any, goes: bool, whole: bool
) -> None:
    """A letter names one of several things that were wrong: the sender can choose which."""
    keyed = queue.settings.model_copy(update={"signing_keys": SecretStr(KEYS)})
    payload = forge(message(queue.pictures / "p.png"))
    text = json.dumps(payload)
    kept = entry(f"[[{text}], {{}}, {{}}]".encode(), str(uuid4())).decode() if whole else text
    number = committed(queue.engine, dead_letters.add, reason=reason, detail="", payload=kept)
    assert number is not None
    letter = dead_letters.get(queue.engine, number)
    assert letter is not None
    before = queue.waiting()
    if not goes:
        with pytest.raises(DeadLetterError, match="--trust"):
            requeue(queue.engine, keyed, letter, by="ann")
        assert queue.waiting() == before
    requeue(queue.engine, keyed, letter, by="ann", trust=not goes)
    assert queue.waiting() == before + 1
    body = json.loads(base64.b64decode(json.loads(queue.redis.lindex("inspect", 0))["body"]))
    assert SigningKeys.parse(KEYS).problem(body[0][0], required=True) is None


def test_a_poisonous_picture_of_a_signed_message_is_signed_in_its_letter() -> None:
    keys = SigningKeys.parse(KEYS)
    for given, checked, good in ((keys, keys, True), (SigningKeys(), keys, False)):
        parsed = parse_message(given.sign(message("/p.png", "/q.png")), checked)
        work = InspectionRequest(parsed.images[0], parsed.envelope, "w", keys=checked)
        assert (keys.problem(work.message(), required=True) is None) is good


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
    number = committed(
        plant.engine, dead_letters.add, reason="unreadable_message", detail="", payload=payload
    )
    letter = dead_letters.get(plant.engine, number)
    assert letter is not None
    with pytest.raises(DeadLetterError, match=says):
        requeue(plant.engine, plant.settings, letter, by="ann")
    assert plant.waiting() == 0
