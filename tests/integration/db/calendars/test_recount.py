"""After an import everything is counted as if its shifts had held from the beginning."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, text

from db.calendars.ahead import ensure_spans
from db.calendars.moving import Window, move_shifts
from db.calendars.recount import parts_since, recounted
from db.calendars.release import given_the_plants, released
from db.calendars.spans import reaches
from db.calendars.stored import stored
from db.labels.decisions import NewDecision
from db.products import register
from db.retention.counts import purge_rollups
from db.retention.queries import purge_inspections
from db.session import engine_for, reading, transaction
from db.tables import Part
from linewatch.errors import CalendarError
from linewatch.products import parse_product
from producer.contract import Verdict
from tests.support.calendars import a_calendar, an_import, expected_counts, stored_counts
from tests.support.committed import committed
from tests.support.interleaving import meanwhile
from tests.support.part_facts import (
    DAY,
    GAP_S,
    PRODUCT,
    Facts,
    a_decision,
    a_label,
    a_picture,
    play,
    stored_parts,
)
from tests.support.records import a_record
from tests.support.waiting import until

FROM = DAY.date() - timedelta(days=1)
# Facts are of 05:00 to 07:00 UTC; some of these shifts begin within a quarter hour.
ODD = {"early": ("05:50", "13:50"), "late": ("13:50", "21:50"), "night": ("21:50", "05:50")}
ODDER = {"first": ("05:20", "05:55"), "second": ("06:20", "12:00"), "third": ("12:00", "05:20")}
EVEN = {"day": ("06:00", "18:00"), "night": ("18:00", "06:00")}


@pytest.fixture
def plant(engine: Engine) -> Engine:
    """A plant with the usual shifts, and a product."""
    a_product(engine)
    committed(engine, ensure_spans, UTC)
    return engine


def a_product(engine: Engine, **options: Any) -> None:
    classes = [{"code": "ok", "good": True}, {"code": "bent"}, {"code": "burnt"}]
    said = {"product": PRODUCT, "classes": classes, "pass_gap_s": GAP_S, **options}
    committed(engine, register, parse_product(said, "a test"))


def check(engine: Engine, facts: Facts) -> None:
    for found, expected in zip(stored_counts(engine), expected_counts(engine, facts), strict=True):
        assert (found - expected, expected - found) == (Counter(), Counter())


@pytest.mark.parametrize("seed", range(2))
def test_counts_are_as_if_the_new_shifts_had_always_been(plant: Engine, seed: int) -> None:
    facts = play(plant, seed)
    check(plant, facts)
    first = recounted(
        plant,
        an_import(plant, a_calendar(FROM, ODD), a_calendar(FROM, ODDER, lines=["L1"])),
    )
    check(plant, facts)
    assert first.moved
    assert first.inexact == set()
    changes = an_import(plant, a_calendar(FROM, ODD), a_calendar(FROM, ODDER, lines=["L1"]))
    again = recounted(plant, changes)
    assert (again.days, again.moved) == (first.days, 0)
    check(plant, facts)
    rng = random.Random(seed)  # what comes later finds what is counted where it looks for it
    for record in rng.choices(facts.records, k=8):
        facts.label(plant, a_label(record.id, rng))
    facts.commit(plant, [a_picture(rng) for _ in range(10)])
    check(plant, facts)
    recounted(plant, an_import(plant, a_calendar(FROM, EVEN, lines=["L1", "L2"])))
    check(plant, facts)


def test_a_line_that_is_released_is_counted_by_the_plants_shifts(plant: Engine) -> None:
    facts, rng = play(plant, 4), random.Random(4)
    recounted(plant, an_import(plant, a_calendar(FROM, ODDER, lines=["L1", "L2"])))
    check(plant, facts)
    changes = committed(plant, given_the_plants, "L1", by="ann")
    facts.commit(plant, [a_picture(rng) for _ in range(10)])
    assert recounted(plant, changes).moved
    committed(plant, released, "L1", by="ann")
    check(plant, facts)
    with reading(plant) as connection:
        assert set(stored(connection)) == set(reaches(connection)) == {"", "L2"}
    facts.commit(plant, [a_picture(rng) for _ in range(10)])
    recounted(plant, an_import(plant, a_calendar(FROM, ODD)))  # which it follows from now on
    check(plant, facts)
    with pytest.raises(CalendarError, match="'L1' has no shifts of its own"):
        committed(plant, given_the_plants, "L1", by="ann")


def test_a_calendar_that_comes_between_keeps_the_line_its_own(plant: Engine) -> None:
    an_import(plant, a_calendar(FROM, ODDER, lines=["L1"]))
    committed(plant, given_the_plants, "L1", by="ann")
    an_import(plant, a_calendar(FROM, ODD))
    with pytest.raises(CalendarError, match="release it again"):
        committed(plant, released, "L1", by="ann")
    committed(plant, given_the_plants, "L1", by="ann")
    committed(plant, released, "L1", by="ann")


def test_what_happens_between_import_and_recount_is_counted_once(plant: Engine) -> None:
    """A worker's new pictures are in the new shifts, a person's word moves what is in the old."""
    facts, rng = play(plant, 5), random.Random(6)
    changes = an_import(plant, a_calendar(FROM, {"renamed": ("06:00", "14:00")}))
    facts.commit(plant, [a_picture(rng) for _ in range(20)])
    for record in rng.choices(facts.records, k=12):
        facts.label(plant, a_label(record.id, rng))
    recounted(plant, changes)
    check(plant, facts)
    changes = an_import(plant, a_calendar(FROM, ODD))
    facts.commit(plant, [a_picture(rng) for _ in range(20)])
    for record in rng.choices(facts.records, k=12):
        facts.label(plant, a_label(record.id, rng))
        facts.decide(plant, a_decision(rng.choice("ABCDEF"), rng))
    recounted(plant, changes)
    check(plant, facts)


def test_workers_and_people_go_on_during_a_recount(plant: Engine) -> None:
    rng, facts = random.Random(7), Facts()
    pictures = [a_picture(rng) for _ in range(200)]
    batches = [pictures[start : start + 8] for start in range(0, 200, 8)]
    facts.commit(plant, batches.pop())

    def import_and_recount() -> None:
        for shifts in (ODD, EVEN, ODDER, ODD):
            recounted(plant, an_import(plant, a_calendar(FROM, shifts)))

    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(import_and_recount)]
        jobs += [pool.submit(facts.commit, plant, batch) for batch in batches]
        for job in jobs:
            job.result()
    check(plant, facts)


def test_a_part_that_somebody_is_deciding_is_waited_for(plant: Engine) -> None:
    facts, taken = Facts(), DAY + timedelta(hours=5, minutes=55)
    facts.commit(plant, [replace(a_lone_picture(taken), part="A")])
    an_import(plant, a_calendar(FROM, ODD))

    def recount() -> None:
        day = Window("", DAY.date(), DAY, DAY + timedelta(days=1))
        committed(plant, move_shifts, day)

    said = NewDecision(PRODUCT, "A", "bent", "bob", decided_at=taken + timedelta(hours=1))
    # The log comes last in a decision's transaction: the part is settled by then.
    with meanwhile(plant, "audit", recount, waits=True):
        facts.decide(plant, said)
    check(plant, facts)


def test_a_commit_that_began_before_the_import_is_waited_for(postgresql_url: str) -> None:
    """It has looked up the spans of before, and nobody sees yet what it counts by them."""
    plant = engine_for(postgresql_url)
    a_product(plant)
    committed(plant, ensure_spans, UTC)
    facts = Facts()
    first, second = (
        a_lone_picture(DAY + timedelta(hours=5, minutes=minute)) for minute in (46, 58)
    )
    facts.commit(plant, [first])
    with ThreadPoolExecutor(2) as pool:
        with transaction(plant) as connection:  # which the end of a commit waits for
            connection.execute(text("LOCK TABLE inspection_hourly IN EXCLUSIVE MODE"))
            late = pool.submit(facts.commit, plant, [second])
            until(lambda: somebody_waits(plant))
            changes = an_import(plant, a_calendar(FROM, ODD))
            nothing = pool.submit(recounted, plant, [])
            with pytest.raises(TimeoutError):
                nothing.result(0.3)
        late.result()
        nothing.result()
    recounted(plant, changes)
    check(plant, facts)


def somebody_waits(engine: Engine) -> bool:
    waiting = (
        "SELECT count(*) > 0 FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with reading(engine) as connection:
        return bool(connection.scalar(text(waiting)))


def test_purged_pictures_stay_where_they_are_and_the_day_is_named(plant: Engine) -> None:
    taken = DAY + timedelta(hours=5, minutes=46)
    facts = Facts()
    for minutes in (0, 5, 10):
        facts.commit(plant, [a_lone_picture(taken + timedelta(minutes=minutes))])
    everything = (PRODUCT, [PRODUCT])
    while committed(plant, purge_inspections, everything, DAY + timedelta(hours=5, minutes=48), 7):
        pass
    done = recounted(plant, an_import(plant, a_calendar(FROM, ODD)))
    assert done.inexact == {DAY.date()}
    slices, shifts = stored_counts(plant)
    assert {(key[0], key[3]): n for key, n in slices.items()} == {
        (DAY + timedelta(hours=5, minutes=45), "night"): 3
    }
    assert sum(shifts.values()) == 3
    again = recounted(plant, an_import(plant, a_calendar(FROM, ODD)))
    assert (again.moved, again.inexact) == (0, set()), "said once: it cannot be told any more"
    # Nothing is lost where whole quarter hours move.
    done = recounted(plant, an_import(plant, a_calendar(FROM, {"a": ("05:45", "05:45")})))
    assert done.inexact == set()
    assert {key[3] for key in stored_counts(plant)[0]} == {"a"}


def test_counts_that_were_purged_do_not_come_back(plant: Engine) -> None:
    """Parts of which a picture is labelled are kept longer than what was counted of them."""
    facts = play(plant, 3)
    while committed(plant, purge_rollups, (PRODUCT, [PRODUCT]), DAY + timedelta(days=2), 500):
        pass
    assert stored_counts(plant) == (Counter(), Counter())
    assert stored_parts(plant)
    late = a_lone_picture(DAY + timedelta(hours=5, minutes=50), lot="of another day")
    facts = Facts()
    facts.commit(plant, [late])
    for shifts in (ODD, EVEN):
        recounted(plant, an_import(plant, a_calendar(FROM, shifts)))
        check(plant, facts)


def test_a_picture_judged_weeks_later_is_split_too(plant: Engine) -> None:
    taken = DAY + timedelta(hours=5, minutes=52)
    facts = Facts()
    for when in (taken, taken - timedelta(minutes=5)):
        facts.commit(plant, [a_lone_picture(when, decided_at=when + timedelta(days=9))])
    done = recounted(plant, an_import(plant, a_calendar(FROM, ODD)))
    assert done.inexact == set()
    check(plant, facts)


def a_lone_picture(taken: Any, **more: Any) -> Any:
    return a_record(
        product=PRODUCT,
        part=None,
        captured_at=taken,
        verdict=Verdict.PASS,
        defect_class="ok",
        probabilities=None,
        work_order=None,
        **{"decided_at": taken + timedelta(seconds=1), **more},
    )


def test_a_serial_number_of_a_day_is_of_another_day_then(engine: Engine) -> None:
    a_product(engine, serial_unique_within="day")
    committed(engine, ensure_spans, UTC)
    taken = DAY + timedelta(hours=5, minutes=55)
    record = a_lone_picture(taken)
    facts = Facts()
    facts.commit(engine, [replace(record, part="S")])

    def scope() -> str:
        with reading(engine) as connection:
            return str(connection.scalar(select(Part.scope).where(Part.counted)))

    assert scope() == (DAY.date() - timedelta(days=1)).isoformat()  # of the night before
    recounted(engine, an_import(engine, a_calendar(FROM, ODD)))
    assert scope() == DAY.date().isoformat()
    slices, shifts = stored_counts(engine)
    assert (sum(slices.values()), sum(shifts.values()), len(slices)) == (1, 1, 1)


def test_how_many_parts_an_import_is_about(plant: Engine) -> None:
    facts = play(plant, 3)
    found = {line: parts_since(plant, line, DAY) for line in ("", "L1", "L2")}
    parts = [part.line for part in facts.parts().values()]
    assert found == {"": len(parts), "L1": parts.count("L1"), "L2": parts.count("L2")}
    an_import(plant, a_calendar(FROM, ODD, lines=["L1"]))
    assert parts_since(plant, "", DAY) == parts.count("L2")
    assert parts_since(plant, "", DAY + timedelta(days=2)) == 0


def test_a_shift_of_the_day_before_that_is_gone_is_not_taken_from_twice(plant: Engine) -> None:
    """A serial number of its day is settled in its own window; its old shift began in another."""
    a_product(plant, serial_unique_within="day")
    rng, facts = random.Random(9), Facts()
    for n in range(6):
        night = DAY + timedelta(hours=2, minutes=10 * n)  # of the night shift from 22:00
        facts.commit(plant, [replace(a_picture(rng), part=f"S{n}", captured_at=night)])
    new = {"day": ("05:50", "21:50")}
    recounted(plant, an_import(plant, a_calendar(FROM, new), a_calendar(FROM, new, lines=["L1"])))
    slices, shifts = stored_counts(plant)
    assert min(shifts.values()) == 1
    assert (slices.total(), shifts.total()) == (6, 6)
