"""The history checker sees each way in which the promise can be broken."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, update

from db.base import table_of
from db.inspections.inspections import commit_inspections
from db.session import transaction
from db.tables import Inspection, InspectionHourly
from producer.contract import Receipt, Verdict
from tests.acceptance.faults.history import History, check
from tests.acceptance.live import Live, message
from tests.support.records import NOON, a_record


@pytest.fixture
def plant(untrained_plant: Live) -> Live:
    """Nobody works in it, so nobody needs a model."""
    return untrained_plant


@pytest.fixture
def ids(plant: Live) -> list[UUID]:
    """Two passed pictures and a rejected one, committed and receipted."""
    verdicts = (Verdict.PASS, Verdict.PASS, Verdict.REJECTED)
    records = [
        a_record(verdict=verdict, defect_class=None, model_version=None, probabilities=None)
        for verdict in verdicts
    ]
    commit_inspections(plant.engine, records, plant.settings.timezone)
    plant.receipts += [Receipt(id=r.id, verdict=r.verdict, decided_at=NOON) for r in records]
    return [record.id for record in records]


def broken(plant: Live, ids: list[UUID], what: str) -> None:
    with pytest.raises(AssertionError, match=what):
        check(plant, ids, settle_s=0.1)


def test_a_whole_history_is_counted(plant: Live, ids: list[UUID]) -> None:
    assert check(plant, ids) == History(
        accepted=3, judged=2, rejected=1, dead_lettered=0, lost=0, duplicated=0
    )


def test_a_lost_picture(plant: Live, ids: list[UUID]) -> None:
    broken(plant, [*ids, uuid4()], "1 of 4 accepted pictures have no row")


def test_an_id_given_twice(plant: Live, ids: list[UUID]) -> None:
    broken(plant, [*ids, ids[0]], "given to more than one picture")


def test_a_row_that_is_not_counted_and_one_that_is_counted_twice(
    plant: Live, ids: list[UUID]
) -> None:
    hourly = table_of(InspectionHourly)
    with transaction(plant.engine) as connection:
        connection.execute(update(hourly).values(count=hourly.c.count + 1))
    broken(plant, ids, "roll-up and recount differ")


def test_a_receipt_for_what_was_never_committed(plant: Live, ids: list[UUID]) -> None:
    plant.receipts.append(Receipt(id=uuid4(), verdict=Verdict.PASS, decided_at=NOON))
    broken(plant, ids, "never committed")


def test_a_receipt_that_says_something_else(plant: Live, ids: list[UUID]) -> None:
    receipt = Receipt(id=ids[0], verdict=Verdict.DEFECT, decided_at=NOON)
    plant.redis.rpush("linewatch:receipts:p", receipt.written())
    broken(plant, ids, "receipt and row of .* differ")


def test_a_picture_decided_twice(plant: Live, ids: list[UUID]) -> None:
    later = NOON + timedelta(seconds=1)
    plant.receipts.append(Receipt(id=ids[0], verdict=Verdict.PASS, decided_at=later))
    broken(plant, ids, "decided twice")


def test_a_dead_letter_without_its_message(plant: Live, ids: list[UUID]) -> None:
    plant.receipts.clear()
    table, hourly = table_of(Inspection), table_of(InspectionHourly)
    with transaction(plant.engine) as connection:
        connection.execute(delete(table))
        connection.execute(delete(hourly))
    dead = a_record(id=ids[0], verdict=Verdict.DEAD_LETTER)
    commit_inspections(plant.engine, [dead], plant.settings.timezone)
    broken(plant, ids[:1], "without a letter")


def test_a_message_that_nobody_took(plant: Live, ids: list[UUID]) -> None:
    plant.enqueue(message("/pictures/1.png"))
    broken(plant, ids, "messages in the queue")


def judged(plant: Live, *verdicts: Verdict, version: str = "widget-1") -> list[UUID]:
    """Pictures of one part, all of them judged by a version."""
    records = [
        a_record(verdict=verdict, model_version=version, image_uri=f"/pictures/{number}.png")
        for number, verdict in enumerate(verdicts)
    ]
    commit_inspections(plant.engine, records, plant.settings.timezone)
    plant.part_of = {record.image_uri: "part 1" for record in records}
    return [record.id for record in records]


def test_what_the_champion_judged_alike_is_whole(plant: Live) -> None:
    plant.champion = "widget-1"
    ids = judged(plant, Verdict.PASS, Verdict.PASS)
    assert check(plant, ids).judged == 2


def test_a_verdict_that_is_not_of_the_champion(plant: Live) -> None:
    plant.champion = "widget-2"
    broken(plant, judged(plant, Verdict.PASS), "1 verdicts are not of widget-2")


def test_a_part_that_was_judged_otherwise_after_the_fault(plant: Live) -> None:
    plant.champion = "widget-1"
    ids = judged(plant, Verdict.PASS, Verdict.DEFECT)
    broken(plant, ids, "the same part was judged differently: .*part 1")
