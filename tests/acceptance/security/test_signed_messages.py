"""A worker that requires signatures judges what is signed, and buries what is not."""

from __future__ import annotations

import json
from typing import Any

from pydantic import SecretStr

from db import dead_letters
from db.rollup import discrepancies
from producer.contract import Reason, SigningKeys, Verdict
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
    refused = [id_ for payload in (unsigned, stolen, stranger) for id_ in ids_of(payload)]
    found = plant.wait_for(refused)
    assert {o.verdict for o in found.values()} == {Verdict.DEAD_LETTER}
    assert {o.reason for o in found.values()} == {Reason.BAD_SIGNATURE}
    key = "linewatch:receipts:forger"
    plant.until(lambda: plant.redis.llen(key) == 3, 20, "receipts for what was refused")
    receipts = [json.loads(line) for line in plant.redis.lrange(key, 0, -1)]
    assert {receipt["reason"] for receipt in receipts} == {"bad_signature"}
    letters = dead_letters.newest(plant.engine)
    assert {letter.reason for letter in letters} == {"bad_signature"}
    assert len(letters) == 3
    assert discrepancies(plant.engine, plant.settings.timezone) == {}
    replay(plant, SigningKeys.parse(NEW))


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
