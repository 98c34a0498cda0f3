"""Pictures of a challenge are in no count, whatever came first: they, its start, or its end."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, update

from db.base import table_of
from db.inspections.records import InspectionRecord
from db.parts.settle import Serial, settle
from db.session import transaction
from db.tables import Challenge, ChallengePart
from tests.support.part_facts import DAY, PRODUCT, Facts, a_picture, a_plant, check

BEGINS, ENDS = DAY + timedelta(hours=5, minutes=30), DAY + timedelta(hours=6)
EXPIRES = DAY + timedelta(hours=6, minutes=20)
NAMED = ("A", "B", "C", "D")


def open_challenge(engine: Engine, serials: tuple[str, ...] = NAMED) -> None:
    """As `challenges.start` does, but at a time of ours."""
    with transaction(engine) as connection:
        row = {"line": "L1", "started_at": BEGINS, "started_by": "ann", "expires_at": EXPIRES}
        made = connection.execute(
            table_of(Challenge).insert().values(**row).returning(Challenge.id)
        ).scalar_one()
        named = [
            *({"product": PRODUCT, "serial": serial} for serial in serials),
            {"product": "another", "serial": "E"},
        ]
        rows = [{"challenge_id": made, "known_class": "", "known_good": False, **n} for n in named]
        connection.execute(table_of(ChallengePart).insert(), rows)
        settle(connection, [Serial(PRODUCT, serial) for serial in serials])


def end_challenge(engine: Engine) -> None:
    with transaction(engine) as connection:
        connection.execute(update(table_of(Challenge)).values(ended_at=ENDS))
        settle(connection, [Serial(PRODUCT, serial) for serial in NAMED])


def is_production(record: InspectionRecord, until: datetime) -> bool:
    """Whether a picture is none of the challenge's."""
    at = record.captured_at
    assert at is not None
    named = record.part in NAMED and record.line == "L1"
    return not (record.purpose == "challenge" and named and BEGINS <= at < until)


def pictures(rng: random.Random, count: int) -> list[InspectionRecord]:
    return [
        replace(a_picture(rng), purpose=rng.choice(["challenge", "challenge", None, "study"]))
        for _ in range(count)
    ]


def expected(records: list[InspectionRecord], until: datetime = ENDS) -> Facts:
    return Facts(records=[one for one in records if is_production(one, until)])


@pytest.mark.parametrize("seed", range(2))
def test_in_any_order(engine: Engine, seed: int) -> None:
    a_plant(engine)
    rng, facts = random.Random(seed), Facts()
    before, during, after = (pictures(rng, 60) for _ in range(3))
    facts.commit(engine, before)
    check(engine, facts)
    open_challenge(engine)
    check(engine, expected(before, EXPIRES))
    facts.commit(engine, during)
    check(engine, expected(before + during, EXPIRES))
    end_challenge(engine)
    check(engine, expected(before + during))
    facts.commit(engine, after)
    check(engine, expected(before + during + after))
    left_out = [one for one in facts.records if not is_production(one, ENDS)]
    assert len(left_out) > 5


def test_while_workers_commit(engine: Engine) -> None:
    a_plant(engine)
    rng, facts = random.Random(11), Facts()
    every = pictures(rng, 240)
    batches = [every[n::30] for n in range(30)]

    def hold() -> None:
        open_challenge(engine)
        end_challenge(engine)

    with ThreadPoolExecutor(4) as pool:
        for done in [
            *(pool.submit(facts.commit, engine, batch) for batch in batches[:15]),
            pool.submit(hold),
            *(pool.submit(facts.commit, engine, batch) for batch in batches[15:]),
        ]:
            done.result()
    check(engine, expected(every))
