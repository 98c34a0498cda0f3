"""One message with many pictures, some of which cannot be judged: each has an end of its own."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from db.inspections.rollup import discrepancies
from db.session import reading
from db.tables import Inspection
from producer.contract import Reason, Receipt, Verdict, receipts_key
from tests.acceptance.events import events
from tests.acceptance.live import Live, ids_of, message, on_one_database

pytestmark = on_one_database

PRODUCER = "burst"


def spoil(plant: Live, pictures: list[Path]) -> dict[int, Reason]:
    """Make three of the pictures unusable, each in a way of its own; returns where and how."""
    pictures[3].unlink()
    whole = pictures[17].read_bytes()
    pictures[17].write_bytes(whole[: len(whole) // 2])
    with pictures[39].open("r+b") as file:
        file.truncate(plant.settings.max_image_bytes + 1)  # a hole: it takes no room
    return {3: Reason.MISSING, 17: Reason.CORRUPT, 39: Reason.TOO_LARGE}


def test_of_forty_pictures_three_are_rejected_each_for_its_own_reason(shared_plant: Live) -> None:
    plant = shared_plant
    pictures = [plant.picture() for _ in range(40)]
    spoiled = spoil(plant, pictures)
    payload = message(*pictures, producer=PRODUCER)
    ids = ids_of(payload)
    expected = {id_: spoiled.get(n, Reason.NO_MODEL) for n, id_ in enumerate(ids)}

    with events(plant) as heard:
        task = plant.enqueue(payload)
        found = plant.wait_for(ids)

        def told() -> dict[str, dict[str, Any]]:
            return {event["type"]: event for event in list(heard) if event.get("uuid") == task}

        plant.until(lambda: "task-succeeded" in told(), 30, "the end of the task in its events")
        seen = told()

    assert {id_: outcome.reason for id_, outcome in found.items()} == expected
    assert Counter(outcome.verdict for outcome in found.values()) == {
        Verdict.REVIEW: 37,
        Verdict.REJECTED: 3,
    }
    assert _told_why(plant, ids) == {ids[n] for n in spoiled}
    # Flower shows that the message began, and at its end how many pictures ended how.
    assert {"task-received", "task-started"} <= seen.keys()
    assert seen["task-succeeded"]["result"] == repr("37 review · 3 rejected")
    # Nothing is lost and nothing is counted twice: a row, a receipt, a count for each picture.
    receipts = _receipts(plant)
    assert {receipt.id: receipt.reason for receipt in receipts} == expected
    assert len(receipts) == 40
    plant.until(lambda: plant.held() == plant.waiting() == 0, 10, "acknowledged message")
    assert discrepancies(plant.engine, plant.settings.timezone) == {}


def _told_why(plant: Live, ids: list[UUID]) -> set[UUID]:
    """Those whose row says in words what was wrong with the file."""
    query = select(Inspection.id).where(
        Inspection.id.in_(ids), Inspection.detail.is_not(None), Inspection.verdict == "rejected"
    )
    with reading(plant.engine) as connection:
        return set(connection.execute(query).scalars())


def _receipts(plant: Live) -> list[Receipt]:
    lines = plant.redis.lrange(receipts_key(PRODUCER), 0, -1)
    return [Receipt.model_validate_json(line) for line in lines]
