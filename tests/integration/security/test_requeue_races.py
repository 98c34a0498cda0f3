"""Two workers with the same requeued picture: one verdict, and counts that stay exact."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from uuid import uuid4

from sqlalchemy import Engine

from db import requeues
from db.inspections import InspectionRecord, commit_inspections, outcomes
from db.rollup import discrepancies
from producer.contract import Reason, Verdict


def record(id_: object, verdict: Verdict, worker: str = "w") -> InspectionRecord:
    return InspectionRecord(
        id=id_,  # type: ignore[arg-type]
        verdict=verdict,
        decided_at=datetime.now(UTC),
        product="widget",
        line="l",
        camera="c",
        reason=Reason.POISON if verdict is Verdict.DEAD_LETTER else None,
        worker=worker,
    )


def test_only_one_of_many_replaces(engine: Engine) -> None:
    ids = [uuid4() for _ in range(8)]
    commit_inspections(engine, [record(id_, Verdict.DEAD_LETTER) for id_ in ids], UTC)
    requeues.allow(engine, 1, ids, by="ann")
    start = Barrier(4)

    def worker(number: int) -> frozenset[object]:
        order = ids if number % 2 else ids[::-1]
        verdict = Verdict.PASS if number % 2 else Verdict.DEFECT
        start.wait()
        return frozenset(
            commit_inspections(engine, [record(i, verdict, str(number)) for i in order], UTC)
        )

    with ThreadPoolExecutor(4) as pool:
        replaced = list(pool.map(worker, range(4)))
    assert sorted(map(str, (id_ for part in replaced for id_ in part))) == sorted(map(str, ids))
    assert Verdict.DEAD_LETTER not in {o.verdict for o in outcomes(engine, ids).values()}
    assert requeues.awaited(engine, ids) == frozenset()
    assert discrepancies(engine, UTC) == {}


def test_a_requeued_picture_that_dies_again_needs_leave_again(engine: Engine) -> None:
    id_ = uuid4()
    commit_inspections(engine, [record(id_, Verdict.DEAD_LETTER)], UTC)
    requeues.allow(engine, 1, [id_], by="ann")
    assert commit_inspections(engine, [record(id_, Verdict.DEAD_LETTER)], UTC) == {id_}
    assert commit_inspections(engine, [record(id_, Verdict.PASS)], UTC) == frozenset()
    assert outcomes(engine, [id_])[id_].verdict is Verdict.DEAD_LETTER
    assert discrepancies(engine, UTC) == {}


def test_leave_covers_dead_letters_and_no_other_row(engine: Engine) -> None:
    id_ = uuid4()
    commit_inspections(engine, [record(id_, Verdict.PASS)], UTC)
    assert requeues.allow(engine, 1, [id_], by="ann") == []
    assert commit_inspections(engine, [record(id_, Verdict.DEFECT)], UTC) == frozenset()
    assert outcomes(engine, [id_])[id_].verdict is Verdict.PASS
