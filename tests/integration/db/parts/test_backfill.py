"""Inspections of before there were parts are counted once, whatever happens meanwhile."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, delete, insert, update

from db.base import table_of
from db.inspections.inspections import commit_inspections
from db.inspections.records import InspectionRecord
from db.parts.backfill import backfill, pending
from db.session import transaction
from db.tables import Inspection, Part, PartBackfill, PartCount, PartShiftCount, Requeue
from producer.contract import Verdict
from tests.support.part_facts import Facts, a_label, a_picture, a_plant, check


def upgraded(
    engine: Engine,
    facts: Facts,
    rng: random.Random,
    records: Sequence[InspectionRecord] = (),
) -> None:
    """A database as a migration leaves it: inspections, and nothing counted of them."""
    facts.commit(engine, records or [a_picture(rng) for _ in range(60)])
    with transaction(engine) as connection:
        for table in (Part, PartCount, PartShiftCount):
            connection.execute(delete(table_of(table)))
        connection.execute(update(table_of(Inspection)).values(made_at=None, by_receipt=None))
        connection.execute(insert(table_of(PartBackfill)), {"name": "parts"})


def test_a_backfill_that_is_cut_short_goes_on_where_it_was(engine: Engine) -> None:
    a_plant(engine)
    facts = Facts()
    upgraded(engine, facts, random.Random(1))
    steps = backfill(engine, batch=7)
    assert [next(steps) for _ in range(3)] == [7, 7, 7]
    del steps
    assert pending(engine)
    assert sum(backfill(engine, batch=7)) == 60 - 21
    check(engine, facts)
    assert not pending(engine)
    assert list(backfill(engine)) == []


@pytest.mark.parametrize("at", range(0, 9, 4))
def test_workers_and_people_go_on_meanwhile(engine: Engine, at: int) -> None:
    """Pictures with and without serial numbers, labelled before and after their turn."""
    a_plant(engine)
    facts, rng = Facts(), random.Random(2)
    upgraded(engine, facts, rng)
    old = [record.id for record in facts.records]
    for step, _ in enumerate(backfill(engine, batch=7)):
        if step == at:
            facts.commit(engine, [a_picture(rng) for _ in range(20)])
            for picture in rng.choices(old, k=25):
                facts.label(engine, a_label(picture, rng))
    check(engine, facts)


def test_a_dead_letter_of_before_that_is_judged_anew_is_counted_once(engine: Engine) -> None:
    a_plant(engine)
    facts, rng = Facts(), random.Random(3)
    dead = [
        replace(a_picture(rng), part=part, verdict=Verdict.DEAD_LETTER, defect_class=None)
        for part in (None, "A", None)
    ]
    upgraded(engine, facts, rng, dead)
    for letter in dead[:2]:
        judged_again(engine, facts, letter)
    assert sum(backfill(engine)) == 3
    judged_again(engine, facts, dead[2])
    check(engine, facts)


def judged_again(engine: Engine, facts: Facts, letter: InspectionRecord) -> None:
    """A person sends a dead letter again, and a worker judges it."""
    row = {"image_id": letter.id, "letter_id": 1, "by": "ann", "requeued_at": datetime.now(UTC)}
    with transaction(engine) as connection:
        connection.execute(insert(table_of(Requeue)), row)
    judged = replace(letter, verdict=Verdict.DEFECT, defect_class="bent", model_version="m-1")
    assert commit_inspections(engine, [judged], UTC) == {letter.id}
    facts.records[facts.records.index(letter)] = judged
