"""Parts and their counts are a function of the facts, whatever happened in which order."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from db.inspections.inspections import commit_inspections, existing
from db.products import register
from db.retention.queries import purge_inspections
from db.session import engine_for, transaction
from linewatch.products import parse_product
from producer.contract import Verdict
from tests.support.committed import committed
from tests.support.part_facts import (
    DAY,
    GAP_S,
    PRODUCT,
    VIEWS,
    Facts,
    a_decision,
    a_label,
    a_picture,
    a_plain_picture,
    a_plant,
    check,
    play,
    stored_parts,
)
from tests.support.records import a_record

_NOTHING_SAID: dict[str, Any] = {"pass_number": None, "views": None, "model_version": "m-1"}


@pytest.mark.parametrize(
    "options", [{}, {"views": list(VIEWS)}], ids=["any views", "views of the product"]
)
@pytest.mark.parametrize("seed", range(3))
def test_parts_and_counts_are_what_the_facts_say(
    engine: Engine, seed: int, options: dict[str, Any]
) -> None:
    a_plant(engine, **options)
    facts = play(engine, seed, views=tuple(options.get("views", ())))
    check(engine, facts)


@pytest.mark.parametrize(
    "options", [{}, {"views": list(VIEWS)}], ids=["any views", "views of the product"]
)
def test_plain_parts_are_what_the_facts_say(engine: Engine, options: dict[str, Any]) -> None:
    """Of most parts there are few pictures, that agree: PostgreSQL has a shorter way for these."""
    a_plant(engine, **options)
    rng, facts = random.Random(11), Facts(views=tuple(options.get("views", ())))
    rest = [a_plain_picture(rng, number % 60) for number in range(110)]
    rng.shuffle(rest)
    while rest:
        together, rest = rest[:20], rest[20:]
        facts.commit(engine, together)
        for record in rng.choices(together, k=4):
            facts.label(engine, a_label(record.id, rng))
        for record in rng.choices(together, k=3):
            facts.decide(engine, a_decision(str(record.part), rng))
        check(engine, facts)


def test_two_workers_with_views_of_the_same_new_parts(engine: Engine) -> None:
    a_plant(engine)
    rng, facts = random.Random(13), Facts()
    views = [[a_plain_picture(rng, number) for number in range(48)] for _ in range(2)]
    batches = [view[start : start + 12] for start in range(0, 48, 12) for view in views]
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(facts.commit, engine, batch[::-1]) for batch in batches]:
            done.result()
    check(engine, facts)


def test_a_second_delivery_counts_nothing(engine: Engine) -> None:
    a_plant(engine)
    facts, rng = Facts(), random.Random(1)
    records = [a_picture(rng) for _ in range(20)]
    facts.commit(engine, records)
    commit_inspections(engine, records, UTC)
    check(engine, facts)


def test_workers_and_people_at_once_leave_no_part_wrong(engine: Engine) -> None:
    a_plant(engine, views=list(VIEWS))
    rng = random.Random(7)
    facts = Facts(views=VIEWS)
    pictures = [a_picture(rng) for _ in range(160)]
    batches = [pictures[start : start + 8] for start in range(0, 160, 8)]
    said = [a_decision(rng.choice("ABCDEF"), rng) for _ in range(10)]
    # Of one moment the one that is stored last would count, and here nobody knows which it is.
    decided = list({one.decided_at: one for one in said}.values())
    with ThreadPoolExecutor(4) as pool:
        for done in [
            *(pool.submit(facts.commit, engine, batch) for batch in batches),
            *(pool.submit(facts.decide, engine, one) for one in decided),
        ]:
            done.result()
    check(engine, facts)


def test_a_picture_without_a_serial_needs_no_row_until_a_person_speaks(engine: Engine) -> None:
    a_plant(engine)
    facts, rng = Facts(), random.Random(3)
    taken = DAY + timedelta(hours=7)
    lone = a_record(
        product="plug",
        part=None,
        captured_at=taken,
        verdict=Verdict.REVIEW,
        defect_class=None,
        probabilities=None,
        work_order=None,
    )
    facts.commit(engine, [lone])
    assert stored_parts(engine) == {}
    check(engine, facts)
    for _ in range(3):
        facts.label(engine, a_label(lone.id, rng))
        check(engine, facts)
    assert len(stored_parts(engine)) == 1


def test_a_purge_moves_no_count_and_what_comes_later_is_still_right(engine: Engine) -> None:
    a_plant(engine, views=list(VIEWS))
    facts, rng = play(engine, 11, views=VIEWS), random.Random(12)
    everything = (PRODUCT, [PRODUCT])
    while committed(engine, purge_inspections, everything, DAY + timedelta(days=1), 7):
        pass
    left = {row.id for row in facts.records} - {one.inspection_id for one in facts.labels}
    assert not existing(engine, left)
    check(engine, facts)
    facts.commit(engine, [a_picture(rng) for _ in range(30)])
    for part in "ABCDEF":
        facts.decide(engine, a_decision(part, rng))
        check(engine, facts)


def test_rows_of_a_lot_go_when_serials_become_the_products(engine: Engine) -> None:
    """Then a part is plain by its pictures, and not by the rows that it has."""
    a_plant(engine, serial_unique_within="lot")
    facts, rng = Facts(), random.Random(5)
    first, second = (
        replace(a_plain_picture(rng, 1), line="L1", lot="L-1", captured_at=DAY, **_NOTHING_SAID)
        for _ in range(2)
    )
    facts.commit(engine, [first])
    assert [scope for _, scope, _ in stored_parts(engine)] == ["L-1"]
    said = {
        "product": PRODUCT,
        "classes": [{"code": "ok", "good": True}, {"code": "bent"}],
        "pass_gap_s": GAP_S,
    }
    with transaction(engine) as connection:
        register(connection, parse_product(said, "a test"))
    facts.commit(engine, [second])
    check(engine, facts)


def test_views_of_a_purged_picture_still_count(engine: Engine) -> None:
    a_plant(engine)
    facts, rng = Facts(), random.Random(6)
    bad, good = (
        replace(a_plain_picture(rng, 1), line="L1", lot="L-1", captured_at=DAY, **_NOTHING_SAID)
        for _ in range(2)
    )
    facts.commit(engine, [replace(bad, verdict=Verdict.DEFECT, defect_class="bent")])
    while committed(engine, purge_inspections, (PRODUCT, [PRODUCT]), DAY + timedelta(days=1), 7):
        pass
    assert not existing(engine, [bad.id])
    facts.commit(engine, [good])
    check(engine, facts)


def test_every_view_that_one_of_the_pictures_names_is_expected(engine: Engine) -> None:
    a_plant(engine)
    facts, rng = Facts(), random.Random(7)
    named = {"top": ("side", "top"), "side": ("top", "underside")}
    for camera, views in named.items():
        one = replace(a_plain_picture(rng, 1), line="L1", lot="L-1", captured_at=DAY)
        said = {**_NOTHING_SAID, "views": views, "verdict": Verdict.PASS, "defect_class": "ok"}
        facts.commit(engine, [replace(one, camera=camera, **said)])
        check(engine, facts)


def test_a_session_that_began_without_parts_does_not_go_through_them_later(
    postgresql_url: str,
) -> None:
    """Its plans are kept: one made on an empty table must still do when there are many parts."""
    engine = engine_for(postgresql_url)
    a_plant(engine)
    before = entries_read(engine)
    for _ in range(8):
        records = [a_record(part=f"{n}-{uuid4()}") for n in range(64)]
        assert len(commit_inspections(engine, records, UTC)) == 64
    assert entries_read(engine) - before < 8 * 64


def entries_read(engine: Engine) -> int:
    """How many entries of the indexes of `parts` were read so far, by the server's statistics."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if (connection.dialect.server_version_info or (0,)) < (15,):
            pytest.skip("this server's statistics cannot be asked for at once")
        connection.exec_driver_sql("SELECT pg_stat_force_next_flush()")
    with engine.connect() as connection:
        query = "SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'parts'"
        return int(connection.exec_driver_sql(query).scalar_one())
