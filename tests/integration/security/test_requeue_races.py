"""Two workers with the same requeued picture: one verdict, and counts that stay exact."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Barrier
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine

from db.inspections import dead_letters, requeues
from db.inspections.dead_letters import Letter
from db.inspections.inspections import (
    InspectionRecord,
    StoredFeatures,
    commit_inspections,
    outcomes,
)
from db.inspections.rollup import discrepancies
from db.models import feature_spaces
from linewatch.errors import DeadLetterError
from producer.contract import Reason, Verdict
from tests.support.committed import committed
from tests.support.interleaving import meanwhile


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
    committed(engine, requeues.allow, 1, ids, by="ann")
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
    committed(engine, requeues.allow, 1, [id_], by="ann")
    assert commit_inspections(engine, [record(id_, Verdict.DEAD_LETTER)], UTC) == {id_}
    assert commit_inspections(engine, [record(id_, Verdict.PASS)], UTC) == frozenset()
    assert outcomes(engine, [id_])[id_].verdict is Verdict.DEAD_LETTER
    assert discrepancies(engine, UTC) == {}


def test_one_whose_features_an_idle_worker_made_is_replaced(engine: Engine) -> None:
    """A person may label a dead letter, and features of labelled pictures are made."""
    id_ = uuid4()
    commit_inspections(engine, [record(id_, Verdict.DEAD_LETTER)], UTC)
    first, second = (StoredFeatures("a-print", bytes([n, 0])) for n in (1, 2))
    another = replace(first, fingerprint="another-print")
    committed(engine, feature_spaces.store_features, [(id_, first), (id_, another)])
    committed(engine, requeues.allow, 1, [id_], by="ann")
    judged = replace(record(id_, Verdict.REVIEW), features=second)
    assert commit_inspections(engine, [judged], UTC) == {id_}
    assert outcomes(engine, [id_])[id_].verdict is Verdict.REVIEW
    assert feature_spaces.vectors(engine, [id_], "a-print") == {id_: second.vector}
    assert feature_spaces.vectors(engine, [id_], "another-print") == {id_: first.vector}
    assert discrepancies(engine, UTC) == {}


def test_leave_covers_dead_letters_and_no_other_row(engine: Engine) -> None:
    id_ = uuid4()
    commit_inspections(engine, [record(id_, Verdict.PASS)], UTC)
    assert committed(engine, requeues.allow, 1, [id_], by="ann") == []
    assert commit_inspections(engine, [record(id_, Verdict.DEFECT)], UTC) == frozenset()
    assert outcomes(engine, [id_])[id_].verdict is Verdict.PASS


def a_letter(engine: Engine, id_: UUID) -> Letter:
    number = committed(
        engine, dead_letters.add, reason="poison", detail="", payload="{}", image_id=id_
    )
    assert number is not None
    letter = dead_letters.get(engine, number)
    assert letter is not None
    return letter


def writing(engine: Engine, statement: str) -> str:
    """Where the other one acts: SQLite's transactions are alone from their beginning."""
    return "BEGIN IMMEDIATE" if engine.dialect.name == "sqlite" else statement


def test_a_letter_that_two_people_read_is_sent_by_one(engine: Engine) -> None:
    letter = a_letter(engine, uuid4())
    other = partial(committed, engine, dead_letters.sent_again, letter)
    with (
        pytest.raises(DeadLetterError, match=r"was sent again, at 20.* UTC meanwhile, so nothing"),
        meanwhile(engine, writing(engine, "UPDATE dead_letters"), other),
    ):
        committed(engine, dead_letters.sent_again, letter)
    again = dead_letters.get(engine, letter.id)
    assert again is not None
    committed(engine, dead_letters.sent_again, again)  # the queue lost it: on purpose, once more


def test_a_letter_that_is_deleted_or_comes_anew_meanwhile(engine: Engine) -> None:
    letter = a_letter(engine, uuid4())
    committed(engine, dead_letters.sent_again, letter)
    sent = dead_letters.get(engine, letter.id)
    assert sent is not None
    assert letter.image_id is not None
    anew = partial(a_letter, engine, letter.image_id)
    with (
        pytest.raises(DeadLetterError, match="came again meanwhile"),
        meanwhile(engine, writing(engine, "UPDATE dead_letters"), anew),
    ):
        committed(engine, dead_letters.sent_again, sent)
    late = datetime.now(UTC) + timedelta(days=1)
    purge = partial(committed, engine, dead_letters.purge, before=late, by="bob")
    with (
        pytest.raises(DeadLetterError, match="was deleted meanwhile"),
        meanwhile(engine, writing(engine, "UPDATE dead_letters"), purge),
    ):
        committed(engine, dead_letters.sent_again, letter)


def test_leave_is_not_given_for_what_is_judged_at_that_moment(engine: Engine) -> None:
    """An earlier requeue's verdict comes: leave given now would wait for ever."""
    id_ = uuid4()
    commit_inspections(engine, [record(id_, Verdict.DEAD_LETTER)], UTC)
    committed(engine, requeues.allow, 1, [id_], by="ann")
    judge = partial(commit_inspections, engine, [record(id_, Verdict.PASS)], UTC)
    refused = engine.dialect.name == "postgresql"  # on SQLite it is judged before the look
    with (
        pytest.raises(DeadLetterError, match="were judged meanwhile") if refused else nullcontext(),
        meanwhile(engine, writing(engine, "INSERT INTO requeues"), judge),
    ):
        assert committed(engine, requeues.allow, 1, [id_], by="bob") == []
    assert requeues.awaited(engine, [id_]) == frozenset()
    assert outcomes(engine, [id_])[id_].verdict is Verdict.PASS
