"""Committed once, however often and however concurrently it is delivered."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, timedelta
from threading import Barrier, Thread
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, create_engine, event, func, select, text
from sqlalchemy.exc import DBAPIError

from db.inspections import inspections, rollup, stations
from db.inspections.inspections import commit_inspections
from db.inspections.records import InspectionRecord, Outcome, ShadowJudgement, StoredFeatures
from db.inspections.rollup import discrepancies, stored_counts
from db.models.shadow import agreement
from db.session import engine_for, reading, transaction
from db.tables import Camera, Feature, Inspection, InspectionScore
from producer.contract import Reason, Verdict
from tests.support.records import NOON, a_record, random_records

KOLKATA = ZoneInfo("Asia/Kolkata")


def count(engine: Engine, table: Any) -> int:
    with reading(engine) as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def counted(engine: Engine) -> int:
    with reading(engine) as connection:
        return stored_counts(connection).total()


def together(*jobs: Callable[[], object]) -> list[Any]:
    """Run jobs at the same moment; their results in order, errors raised."""
    results: list[Any] = [None] * len(jobs)
    barrier = Barrier(len(jobs))

    def run(index: int) -> None:
        barrier.wait()
        try:
            results[index] = jobs[index]()
        except BaseException as error:
            results[index] = error

    threads = [Thread(target=run, args=(index,)) for index in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results


def test_a_shadow_adds_its_scores_and_changes_nothing_else(engine: Engine) -> None:
    shadow = ShadowJudgement("cable-2", Verdict.REVIEW, Reason.UNCERTAIN, {"good": 0.4, "cut": 0.6})
    record, same = (
        a_record(shadow=shadow),
        a_record(shadow=replace(shadow, model_version="cable-1")),
    )
    commit_inspections(engine, [record, same], UTC)
    assert commit_inspections(engine, [record], UTC) == frozenset()
    assert inspections.outcomes(engine, [record.id])[record.id] == Outcome.of(record)
    assert inspections.scores(engine, record.id) == {"cable-2": shadow.probabilities}
    assert inspections.scores(engine, same.id) == {}  # promoted a moment ago
    (row,) = agreement(engine, "cable", "cable-2")
    assert (row.champion, row.champion_verdict, row.shadow_verdict, row.pictures) == (
        *("cable-1", "pass", "review"),
        1,
    )


def test_everything_of_a_record_is_stored(engine: Engine) -> None:
    record = a_record(features=StoredFeatures("f1", b"\x00\x3c"), reason=Reason.UNCERTAIN)
    assert commit_inspections(engine, [record], UTC) == {record.id}
    stored = inspections.by_part(engine, "P-1")
    assert stored == [replace(record, probabilities=None, features=None)]
    assert count(engine, Feature) == 1
    assert [(line.code, line.cameras) for line in stations.all_lines(engine)] == [("L1", ("C1",))]


def test_a_second_delivery_changes_nothing(engine: Engine) -> None:
    first = a_record()
    later = replace(
        first,
        verdict=Verdict.DEFECT,
        defect_class="bent_wire",
        model_version="cable-2",
        decided_at=NOON + timedelta(hours=3),
        features=StoredFeatures("f2", b"12"),
    )
    fresh = a_record()
    assert commit_inspections(engine, [first], UTC) == {first.id}
    assert commit_inspections(engine, [later, fresh], UTC) == {fresh.id}
    assert inspections.outcomes(engine, [first.id, uuid4()]) == {first.id: Outcome.of(first)}
    assert count(engine, Feature) == 0
    assert counted(engine) == 2
    assert discrepancies(engine, UTC) == {}


def test_an_id_twice_in_one_batch_is_one_row_and_the_first_counts(engine: Engine) -> None:
    first = a_record()
    second = replace(first, verdict=Verdict.REVIEW)
    assert commit_inspections(engine, [first, second], UTC) == {first.id}
    assert inspections.outcomes(engine, [first.id])[first.id].verdict is Verdict.PASS
    assert counted(engine) == 1


def test_nothing_to_commit(engine: Engine) -> None:
    assert commit_inspections(engine, [], UTC) == frozenset()


def test_a_record_that_says_nothing_has_its_row(engine: Engine) -> None:
    id_ = uuid4()
    record = InspectionRecord.unreadable(
        id_, verdict=Verdict.DEAD_LETTER, reason=Reason.UNREADABLE_MESSAGE, detail="no JSON"
    )
    assert commit_inspections(engine, [record], UTC) == {id_}
    assert discrepancies(engine, UTC) == {}
    assert count(engine, Camera) == 0


def test_no_field_from_outside_can_stop_a_batch(engine: Engine) -> None:
    """Each of these once made PostgreSQL refuse a whole transaction, for ever."""
    rng = random.Random(7)
    noise = "".join(chr(rng.randint(0x10000, 0x10FFFF)) for _ in range(5000))  # incompressible
    hostile = a_record(
        product=noise,
        line=noise,
        camera=noise,
        part=noise,
        lot=noise,
        defect_class=noise,
        model_version=noise,
        image_uri="/a\0\ud800",
        detail="\0",
        attempt=10**20,
        confidence=float("nan"),
        shadow=ShadowJudgement("s\0", Verdict.PASS, None, {"a\0": float("nan")}),
    )
    neighbour = a_record()
    assert commit_inspections(engine, [hostile, neighbour], UTC) == {hostile.id, neighbour.id}
    assert discrepancies(engine, UTC) == {}


def test_the_hour_is_the_plants(engine: Engine) -> None:
    commit_inspections(engine, [a_record(decided_at=NOON - timedelta(seconds=1))], KOLKATA)
    commit_inspections(engine, [a_record(decided_at=NOON)], KOLKATA)
    with reading(engine) as connection:
        hours = sorted(key.hour for key in stored_counts(connection))
    assert hours == [NOON - timedelta(hours=1), NOON]  # 12:30Z is 18:00 in Kolkata


REFUSE = {
    "sqlite": [
        "CREATE TRIGGER refuse BEFORE INSERT ON inspection_hourly "
        "BEGIN SELECT RAISE(ABORT, 'no'); END"
    ],
    "postgresql": [
        "CREATE FUNCTION refuse() RETURNS trigger AS "
        "$$ BEGIN RAISE EXCEPTION 'no'; END $$ LANGUAGE plpgsql",
        "CREATE TRIGGER refuse BEFORE INSERT ON inspection_hourly EXECUTE FUNCTION refuse()",
    ],
}
ALLOW = {
    "sqlite": ["DROP TRIGGER refuse"],
    "postgresql": ["DROP TRIGGER refuse ON inspection_hourly", "DROP FUNCTION refuse()"],
}


def run(engine: Engine, statements: dict[str, list[str]]) -> None:
    with transaction(engine) as connection:
        for statement in statements[engine.dialect.name]:
            connection.exec_driver_sql(statement)


def test_a_commit_that_fails_at_its_last_step_leaves_nothing(engine: Engine) -> None:
    record = a_record(shadow=ShadowJudgement("cable-2", Verdict.PASS, None, {"good": 1.0}))
    run(engine, REFUSE)
    try:
        with pytest.raises(DBAPIError, match="no"):
            commit_inspections(engine, [record], UTC)
    finally:
        run(engine, ALLOW)
    assert (count(engine, Inspection), count(engine, InspectionScore)) == (0, 0)
    assert commit_inspections(engine, [record], UTC) == {record.id}
    assert count(engine, Camera) == 1


def test_a_line_s_cameras_are_added_once(engine: Engine) -> None:
    for camera in ("C2", "C1", "C2"):
        commit_inspections(engine, [a_record(camera=camera)], UTC)
    commit_inspections(engine, [a_record(line="L0")], UTC)
    found = {line.code: line.cameras for line in stations.all_lines(engine)}
    assert found == {"L0": ("C1",), "L1": ("C1", "C2")}


def test_known_cameras_cost_no_statement(engine: Engine) -> None:
    statements: list[str] = []

    def note(_c: object, _k: object, statement: str, *_: object) -> None:
        statements.append(statement)

    commit_inspections(engine, [a_record()], UTC)
    event.listen(engine, "before_cursor_execute", note)
    commit_inspections(engine, [a_record()], UTC)
    assert not [one for one in statements if re.search(r"\b(lines|cameras)\b", one)]
    commit_inspections(engine, [a_record(camera="new")], UTC)
    assert [one for one in statements if "cameras" in one]


def second_engine(url: str) -> Engine:
    """As another process would have it: own pool, own memory of known cameras."""
    engine_for.cache_clear()
    return engine_for(url)


def test_two_workers_with_the_same_pictures_at_once(database_url: str) -> None:
    """One row each, exact counts, and no deadlock although their orders differ."""
    engines = [engine_for(database_url), second_engine(database_url)]
    rng = random.Random(3)
    for round_ in range(15):
        batch = [replace(r, camera=f"{r.camera}-{round_}") for r in random_records(round_, 40)]
        shuffled = rng.sample(batch, len(batch))
        won = together(
            lambda b=batch: commit_inspections(engines[0], b, UTC),
            lambda b=shuffled: commit_inspections(engines[1], b, UTC),
        )
        assert won[0] | won[1] == {record.id for record in batch}
        assert not won[0] & won[1]
    assert count(engines[0], Inspection) == 15 * 40
    assert discrepancies(engines[0], UTC) == {}
    assert counted(engines[0]) == 15 * 40


def test_many_workers_that_overlap(database_url: str) -> None:
    """Each picture is delivered to two of four workers, in batches cut differently."""
    records = random_records(11, 400, days=0.2)
    engines = [engine_for(database_url), *(second_engine(database_url) for _ in range(3))]

    def work(index: int) -> frozenset[UUID]:
        own = [r for n, r in enumerate(records) if n % 4 in (index, (index + 1) % 4)]
        random.Random(index).shuffle(own)
        new: frozenset[UUID] = frozenset()
        for start in range(0, len(own), 16 + index):
            new |= commit_inspections(engines[index], own[start : start + 16 + index], KOLKATA)
        return new

    won = together(*(lambda i=i: work(i) for i in range(4)))
    assert sum(map(len, won)) == 400
    assert frozenset().union(*won) == {record.id for record in records}
    assert discrepancies(engines[0], KOLKATA) == {}
    with reading(engines[0]) as connection:
        assert rollup.recount(connection, KOLKATA).total() == 400


def test_a_foreign_schema_change_is_an_error_and_not_a_silent_loss(database_url: str) -> None:
    engine = engine_for(database_url)
    other = create_engine(engine.url)
    with other.begin() as connection:
        connection.execute(text("ALTER TABLE inspections DROP COLUMN worker"))
    other.dispose()
    with pytest.raises(Exception, match="worker"):
        commit_inspections(engine, [a_record()], UTC)
    assert counted(engine) == 0


def test_ids_can_be_asked_for_by_the_thousand(engine: Engine) -> None:
    records = random_records(1, 1200)
    for start in range(0, 1200, 300):
        commit_inspections(engine, records[start : start + 300], UTC)
    ids = [record.id for record in records]
    assert inspections.existing(engine, [*ids, uuid4()]) == set(ids)
    assert inspections.outcomes(engine, ids).keys() == set(ids)
