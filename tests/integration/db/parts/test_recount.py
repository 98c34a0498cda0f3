"""A recount finds what is wrong with parts and counts, mends it, and names what it cannot prove."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner
from sqlalchemy import Connection, Engine, delete, select, update

from db.base import table_of
from db.inspections.inspections import commit_inspections, existing
from db.inspections.rolled_up import roll_hours
from db.parts import recount_there
from db.parts.recount import recount
from db.parts.recounted import Recounted
from db.reports import counts
from db.retention.counts import purge_rollups
from db.retention.queries import purge_inspections
from db.session import engine_for, reading, transaction
from db.tables import (
    LabelledPicture,
    Part,
    PartCount,
    PartShiftCount,
    PictureHour,
    PurgedSingle,
    PurgedView,
)
from linewatch.cli import cli
from linewatch.errors import ReportError
from linewatch.settings import Settings
from producer.contract import Verdict
from producer.uuid7 import uuid7
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
    a_plant,
    check,
    play,
    stored_counts,
)
from tests.support.records import a_record

_COUNTS, _SHIFTS, _PARTS = table_of(PartCount), table_of(PartShiftCount), table_of(Part)
_EVERYTHING = (PRODUCT, [PRODUCT])


def damage(engine: Engine) -> None:
    """Somebody wrote into the tables by hand."""
    with transaction(engine) as connection:
        serials = list(connection.scalars(select(_PARTS.c.serial).where(_PARTS.c.serial != "")))
        first, second = sorted(set(serials))[:2]
        connection.execute(delete(_PARTS).where(_PARTS.c.serial == first))
        wrong = {
            "disposition": "conforming",
            "classes": "",
            "lot": "another",
            "decided_by": "model",
        }
        connection.execute(update(_PARTS).where(_PARTS.c.serial == second).values(**wrong))
        slices = connection.scalars(select(_COUNTS.c.slice_at).distinct()).all()
        connection.execute(
            update(_COUNTS)
            .where(_COUNTS.c.slice_at == min(slices))
            .values(parts=_COUNTS.c.parts + 3)
        )
        connection.execute(delete(_COUNTS).where(_COUNTS.c.slice_at == max(slices)))
        connection.execute(delete(_SHIFTS).where(_SHIFTS.c.disposition == "open"))
        damage_copies(connection)


def damage_copies(connection: Connection) -> None:
    """One labelled picture has another's class, one is missing; hours of pictures as well."""
    labelled, hours = table_of(LabelledPicture), table_of(PictureHour)
    ids = connection.scalars(select(labelled.c.inspection_id).limit(2)).all()
    connection.execute(delete(labelled).where(labelled.c.inspection_id.in_(ids[:1])))
    wrong = update(labelled).where(labelled.c.inspection_id.in_(ids[1:])).values(verdict="x")
    connection.execute(wrong)
    connection.execute(update(hours).values(passed=hours.c.passed + 1))


@pytest.mark.parametrize("seed", range(3))
def test_what_is_right_is_proven_and_what_is_wrong_mended(engine: Engine, seed: int) -> None:
    a_plant(engine, views=list(VIEWS))
    roll_hours(engine)  # what is counted of older hours from here on changes these
    facts = play(engine, seed, views=VIEWS, pictures=60)
    right = recount(engine, mend=True)
    assert (right.parts, right.lost, right.counts) == (0, 0, [])
    damage(engine)
    before = stored_counts(engine, PartCount), stored_counts(engine, PartShiftCount)
    found = recount(engine, mend=False)
    assert found.parts > 1
    assert found.labelled == 2
    assert (found.hours > 0) == (engine.dialect.name == "postgresql")  # SQLite sums none up
    assert {one.state for one in found.wrong} == {"slices", "shifts"}
    after = stored_counts(engine, PartCount), stored_counts(engine, PartShiftCount)
    assert before == after
    recount(engine, mend=True)
    check(engine, facts)
    again = recount(engine, mend=False)
    assert (again.parts, again.lost, again.counts) == (0, 0, [])
    assert again.right


def test_a_range_is_recounted_alone(engine: Engine) -> None:
    a_plant(engine)
    facts = play(engine, 4)
    damage(engine)
    elsewhere = recount(engine, until=DAY - timedelta(days=1), mend=True)
    assert (elsewhere.parts, elsewhere.counts) == (0, [])
    assert elsewhere.labelled == 2  # of whatever time: there is no range of them
    recount(engine, DAY, DAY + timedelta(days=1), mend=True)
    check(engine, facts)


def test_nobody_has_to_stop(engine: Engine) -> None:
    a_plant(engine)
    rng, facts = random.Random(5), Facts()
    facts.commit(engine, [a_picture(rng) for _ in range(40)])
    damage(engine)
    with ThreadPoolExecutor(4) as pool:
        jobs: list[Future[Any]] = [
            *(
                pool.submit(facts.commit, engine, [a_picture(rng) for _ in range(6)])
                for _ in range(12)
            ),
            *(pool.submit(recount, engine, mend=True) for _ in range(2)),
            *(
                pool.submit(facts.label, engine, a_label(facts.records[n].id, rng))
                for n in range(6)
            ),
        ]
        for job in jobs:
            job.result()
    recount(engine, mend=True)
    check(engine, facts)


def test_what_cannot_be_proven_is_named_and_left(engine: Engine) -> None:
    """Purged pictures: those of serial numbers left their views, the others nothing."""
    a_plant(engine)
    facts = play(engine, 6, pictures=60)
    while committed(engine, purge_inspections, _EVERYTHING, DAY + timedelta(days=1), 20):
        pass
    found = recount(engine, mend=True)
    assert (found.parts, found.lost, found.wrong) == (0, 0, [])
    assert {one.plant_day for one in found.skipped} <= {DAY.date(), DAY.date() - timedelta(days=1)}
    assert sum(one.counted - one.found for one in found.skipped) > 0
    check(engine, facts)
    with transaction(engine) as connection:
        connection.execute(delete(table_of(PurgedView)).where(PurgedView.part == "A"))
    found = recount(engine, mend=True)
    assert (found.parts, found.lost, found.wrong) == (0, 1, [])
    assert found.lost_days <= {DAY.date(), DAY.date() - timedelta(days=1)}
    check(engine, facts)


def test_a_purged_picture_whose_message_comes_again_is_counted_once(engine: Engine) -> None:
    a_plant(engine)
    at = DAY - timedelta(days=30)
    usual = {"product": PRODUCT, "verdict": Verdict.PASS, "captured_at": at, "decided_at": at}
    records = [a_record(**usual, id=uuid7(), part=part) for part in ("A", None, None, "B")]
    commit_inspections(engine, records[:3], UTC)
    before = [stored_counts(engine, PartCount), stored_counts(engine, PartShiftCount)]
    hours = counts.hourly_total(engine, PRODUCT)
    while committed(engine, purge_inspections, _EVERYTHING, DAY, 2):
        pass
    assert existing(engine, [one.id for one in records]) == set()
    again = commit_inspections(engine, [*records[:3]], UTC)
    assert again == {one.id for one in records[:3]}  # stored, since nobody knows what they were
    assert [stored_counts(engine, PartCount), stored_counts(engine, PartShiftCount)] == before
    assert counts.hourly_total(engine, PRODUCT) == hours == 3
    assert recount(engine, mend=False) == Recounted()
    commit_inspections(engine, records, UTC)
    assert stored_counts(engine, PartCount).total() == before[0].total() + 1 == 4
    assert counts.hourly_total(engine, PRODUCT) == 4


def test_ids_of_purged_pictures_go_with_their_counts(engine: Engine) -> None:
    a_plant(engine)
    at = datetime.now(UTC)
    usual = {"product": PRODUCT, "part": None, "captured_at": at, "decided_at": at}
    commit_inspections(engine, [a_record(**usual, id=uuid7())], UTC)
    later, ids = at + timedelta(days=2), select(table_of(PurgedSingle).c.id)
    while committed(engine, purge_inspections, _EVERYTHING, later, 2):
        pass
    with reading(engine) as connection:
        assert len(connection.execute(ids).all()) == 1
    while committed(engine, purge_rollups, _EVERYTHING, later, 20):
        pass
    with reading(engine) as connection:
        assert connection.execute(ids).all() == []


def test_a_part_with_times_of_two_kinds_is_proven_at_the_second_look(postgresql_url: str) -> None:
    """The first look gives it up; the part's own row says whose time its first picture has."""
    engine = engine_for(postgresql_url)
    a_plant(engine)
    now = datetime.now(UTC)
    usual = {"product": PRODUCT, "part": "A", "verdict": Verdict.PASS, "decided_at": now}
    for at in (now, None):
        commit_inspections(engine, [a_record(**usual, id=uuid7(), captured_at=at)], UTC)
    with reading(engine) as connection:
        assert connection.execute(select(_PARTS.c.views, _PARTS.c.by_receipt)).all() == [(2, False)]
    times = now - timedelta(days=1), now + timedelta(days=1)
    assert recount_there.unproven(engine, *times) == []
    with transaction(engine) as connection:
        connection.execute(update(_PARTS).values(by_receipt=True))
    assert recount_there.unproven(engine, *times) == [(PRODUCT, "A")]


def test_counts_that_a_purge_took_come_back_only_if_asked_for(engine: Engine) -> None:
    a_plant(engine)
    roll_hours(engine)
    facts, rng = play(engine, 7, pictures=60), random.Random(7)
    while committed(engine, purge_rollups, _EVERYTHING, DAY + timedelta(hours=5, minutes=50), 50):
        pass
    with reading(engine) as connection:
        rows = connection.execute(select(_COUNTS).where(_COUNTS.c.shift_at < DAY)).all()
    assert rows == []
    found = recount(engine, mend=True)
    assert found.counts == []
    facts.decide(engine, a_decision("B", rng))
    recount(engine, DAY - timedelta(days=1), mend=True)
    check(engine, facts)


@pytest.mark.parametrize(
    "wrong",
    [
        *({"line": "L9"}, {"lot": "x"}, {"work_order": "x"}, {"model_version": "x"}, {"why": "x"}),
        *({"disposition": "open"}, {"classes": "x"}, {"decided_by": "x"}, {"by_receipt": True}),
        *({"model_disposition": "open"}, {"model_classes": "x"}, {"views": 1}, {"shift": "x"}),
        *({"made_at": DAY + timedelta(hours=6)}, {"last_at": DAY}, {"slice_at": DAY}),
        *({"shift_at": DAY}, {"shift_ends_at": DAY}, {"plant_day": DAY.date()}, {"counted": False}),
        *({"pass_number": 7}, {"scope": "x"}),
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_one_wrong_word_in_a_row_is_found(postgresql_url: str, wrong: dict[str, Any]) -> None:
    """Of a plain part: what one look at all facts proves must be all that a row says."""
    engine = engine_for(postgresql_url)
    a_plant(engine)
    facts, taken = Facts(), DAY + timedelta(hours=5, minutes=45)
    usual = {"product": PRODUCT, "part": "A", "captured_at": taken, "probabilities": None}
    for camera, defect in (("C1", None), ("C2", "bent")):
        verdict = Verdict.DEFECT if defect else Verdict.PASS
        more = {"camera": camera, "verdict": verdict, "defect_class": defect, "decided_at": taken}
        facts.commit(engine, [a_record(**usual, **more)])
    assert recount(engine, mend=False) == Recounted()
    with transaction(engine) as connection:
        connection.execute(update(_PARTS).values(**wrong))
    assert recount(engine, mend=True).parts > 0
    check(engine, facts)
    assert recount(engine, mend=False) == Recounted()


def test_a_part_in_two_pieces_of_the_history_is_proven_or_not(postgresql_url: str) -> None:
    """Sums are made of a day at a time; ids say in which a picture lies."""
    engine = engine_for(postgresql_url)
    a_plant(engine)
    facts, midnight = Facts(), DAY + timedelta(days=1)
    for serial, apart in (("A", 0.2), ("B", 2.0), ("C", GAP_S + 1)):
        for camera, seconds in (("C1", 0.0), ("C2", apart)):
            taken = midnight + timedelta(seconds=seconds - 1)
            id_ = UUID(int=int(taken.timestamp() * 1000) << 80 | 7 << 76 | uuid4().int % 2**62)
            said = {"part": serial, "camera": camera, "product": PRODUCT, "captured_at": taken}
            facts.commit(engine, [a_record(id=id_, **said)])
    assert recount(engine, mend=False) == Recounted()
    with transaction(engine) as connection:
        connection.execute(delete(_PARTS).where(_PARTS.c.pass_number == 2))
        connection.execute(update(_PARTS).where(_PARTS.c.serial == "B").values(lot="x"))
    assert recount(engine, mend=True).parts == 2
    check(engine, facts)


def test_a_part_that_lacks_a_view_is_not_proven_by_sums(postgresql_url: str) -> None:
    engine = engine_for(postgresql_url)
    a_plant(engine, views=["C1", "C2"])
    facts = Facts(views=("C1", "C2"))
    for serial, cameras in (("whole", ("C1", "C2")), ("half", ("C1", "C1"))):
        said = {"part": serial, "product": PRODUCT, "captured_at": DAY}
        facts.commit(engine, [a_record(**said, camera=camera) for camera in cameras])
    assert recount(engine, mend=False) == Recounted()
    passed = {"disposition": "conforming", "model_disposition": "conforming"}
    with transaction(engine) as connection:
        connection.execute(update(_PARTS).values(**passed, decided_by="model", why=""))
    assert recount(engine, mend=True).parts == 1
    check(engine, facts)


def test_as_typed(make_settings: Callable[..., Settings], engine: Engine) -> None:
    url = engine.url.render_as_string(hide_password=False)
    make_settings(database_url=url)
    a_plant(engine)
    facts = play(engine, 8)

    def typed(*options: str) -> tuple[int, str]:
        result = CliRunner().invoke(cli, ["db", "recount", *options], catch_exceptions=False)
        return result.exit_code, result.output

    assert typed("--check") == (0, "parts and counts are right\n")
    damage(engine)
    code, said = typed("--check")
    assert code == 1
    assert "parts were not what pictures and people say: wrong" in said
    assert "2 labelled pictures were not what labels and verdicts say: wrong" in said
    assert f"{DAY.date()}  line L1, plug: " in said
    code, said = typed()
    assert (code, "say: mended" in said) == (0, True)
    check(engine, facts)
    assert typed("--since", "30d") == (0, "parts and counts are right\n")
    with pytest.raises(ReportError, match="the range ends before it begins"):
        typed("--since", "2026-02-01", "--until", "2026-01-01")
