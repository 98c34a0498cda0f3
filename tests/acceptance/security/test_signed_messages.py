"""A worker that requires signatures judges what is signed, and buries what is not."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from db.inspections import dead_letters
from db.inspections.rollup import discrepancies
from producer.contract import SigningKeys, Verdict
from tests.acceptance.live import PATIENCE, Live, ids_of, message

OLD, NEW = "old:" + "o" * 40, "new:" + "n" * 40


def test_only_signed_pictures_are_judged(plant: Live) -> None:
    keys = f"{NEW},{OLD}"
    plant.worker(LINEWATCH_SIGNING_KEYS=keys, LINEWATCH_REQUIRE_SIGNATURES="true")
    plant.settings = plant.settings.model_copy(update={"signing_keys": SecretStr(OLD)})
    with plant.camera() as camera:  # it still has the old key only
        ids = [camera.submit(plant.picture()) for _ in range(5)]
        assert camera.wait(60 * PATIENCE)
    assert {o.verdict for o in plant.outcomes(ids).values()} == {Verdict.REVIEW}

    unsigned = message(plant.picture(), plant.picture(), producer="forger")
    stolen = SigningKeys.parse(NEW).sign(message(plant.picture(), producer="forger"))
    stolen["images"][0]["uri"] = str(plant.picture())
    stranger = SigningKeys.parse("new:" + "x" * 40).sign(message(plant.picture()))
    for payload in (unsigned, stolen, stranger):
        plant.enqueue(payload)
    plant.until(lambda: len(dead_letters.newest(plant.engine)) == 3, 20, "three dead letters")
    plant.until(lambda: plant.waiting() + plant.held() == 0, 20, "an empty queue")
    letters = dead_letters.newest(plant.engine)
    assert {letter.reason for letter in letters} == {"bad_signature"}
    # Their ids and producers may be another camera's: nothing is stored of them, or answered.
    refused = [id_ for payload in (unsigned, stolen, stranger) for id_ in ids_of(payload)]
    assert plant.outcomes(refused) == {}
    assert plant.redis.keys("linewatch:receipts:forger") == []
    assert discrepancies(plant.engine, plant.settings.timezone) == {}
    spool_is_not_cleared_by_a_stranger(plant)
    replay(plant, SigningKeys.parse(NEW))


def spool_is_not_cleared_by_a_stranger(plant: Live) -> None:
    """Who knows a camera's producer and a picture's id cannot settle the picture for it."""
    known = message(plant.picture(), producer="camera-pc-1-0123456789abcdef")
    (id_,) = ids_of(known)
    for wrong in ({}, {"version": 2}, {"images": [{"id": str(id_)}]}, {"signature": {}}):
        plant.enqueue({**known, **wrong})
    plant.until(lambda: len(dead_letters.newest(plant.engine)) == 7, 20, "four more dead letters")
    assert plant.outcomes([id_]) == {}
    assert plant.redis.llen("linewatch:receipts:camera-pc-1-0123456789abcdef") == 0


def replay(plant: Live, keys: SigningKeys) -> None:
    """A signed message that comes again changes nothing."""
    payload: dict[str, Any] = keys.sign(message(plant.picture()))
    plant.enqueue(payload)
    first = plant.wait_for(ids_of(payload))
    plant.enqueue(payload)
    plant.until(lambda: plant.waiting() + plant.held() == 0, 20, "an empty queue")
    assert plant.outcomes(ids_of(payload)) == first
    assert discrepancies(plant.engine, plant.settings.timezone) == {}


def test_a_message_too_large_is_kept_unopened_and_its_neighbours_are_judged(plant: Live) -> None:
    plant.worker(LINEWATCH_MAX_MESSAGE_BYTES=str(128 * 1024))
    large = message(plant.picture(), padding="x" * 200_000)
    plant.enqueue(large)
    small = message(plant.picture())
    plant.enqueue(small)
    plant.wait_for(ids_of(small))
    plant.until(lambda: len(dead_letters.newest(plant.engine)) == 1, 20, "a dead letter")
    (letter,) = dead_letters.newest(plant.engine)
    assert "LINEWATCH_MAX_MESSAGE_BYTES is 131072" in letter.detail
    assert plant.outcomes(ids_of(large)) == {}
    plant.until(lambda: plant.waiting() + plant.held() == 0, 20, "an empty queue")
