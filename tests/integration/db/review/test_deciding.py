"""Deciding parts that were looked at: revisions, the audit sample, undo, golden parts."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, select

from db import audit
from db.audit_sample.items import unanswered
from db.base import table_of
from db.labels import decisions, golden_members, history, labels
from db.labels.decisions import NewDecision
from db.parts.labelled import wrong_labelled
from db.review import golden
from db.review.deciding import NewWord, Stored, decide
from db.review.standing import ChangedSinceError, standing
from db.review.taking_back import take_back
from db.review.waiting import open_by_product, open_parts, open_pictures, part_of
from db.session import reading, transaction
from db.tables import AuditAnswer, Part
from linewatch.errors import LabelError
from producer.contract import Verdict
from quality.audit.draw import PassName
from tests.support.committed import committed
from tests.support.interleaving import meanwhile
from tests.support.part_facts import stored_parts
from tests.support.review import PRODUCT, a_product, a_view, commit

P1 = PassName(PRODUCT, "P1", "", 1)


@pytest.fixture
def plant(engine: Engine) -> Engine:
    a_product(engine)
    return engine


def say(engine: Engine, label: str, name: PassName = P1, by: str = "ann", **more: Any) -> Stored:
    with reading(engine) as connection:
        revision = standing(connection, name).revision
    word = NewWord(name, label, by, **{"revision": revision, **more})
    stored: Stored = committed(engine, decide, word)
    return stored


def undo(engine: Engine, name: PassName = P1, by: str = "ann") -> None:
    with reading(engine) as connection:
        revision = standing(connection, name).revision
    committed(engine, take_back, name, by, revision)


def is_now(engine: Engine, name: PassName = P1) -> tuple[str, str, str]:
    row = stored_parts(engine)[name.serial, name.scope, name.pass_number]
    return row["disposition"], row["classes"], row["decided_by"]


def test_a_decision_labels_the_picture_of_a_part_that_has_one(plant: Engine) -> None:
    one, *two = a_view("P1"), a_view("P2", camera="C1"), a_view("P2", 1, camera="C2")
    commit(plant, [one, *two])
    assert say(plant, "bent").labels == 1
    assert say(plant, "bent", PassName(PRODUCT, "P2", "", 1)).labels == 0
    assert labels.latest(plant, PRODUCT) == {one.id: "bent"}
    assert is_now(plant) == ("nonconforming", "bent", "person")
    assert say(plant, "burnt", PassName(PRODUCT, "P2", "", 1), teach="all").labels == 2
    assert say(plant, "ok", teach="none").labels == 0
    with reading(plant) as connection:
        assert open_by_product(connection) == {}
    deed = next(one for one in audit.newest(plant) if one.action == "decision.change")
    assert deed.detail["old"] == {"said": "bent", "by": "ann"}
    assert deed.detail["new"] == {"said": "ok", "labels": 0}


def test_a_second_person_overwrites_nothing(plant: Engine) -> None:
    commit(plant, [a_view("P1")])
    with reading(plant) as connection:
        seen = standing(connection, P1).revision
    say(plant, "bent", by="ann", revision=seen)
    with pytest.raises(
        ChangedSinceError, match=r"^ann called this 'bent' at .* nothing was stored"
    ):
        say(plant, "ok", by="bob", revision=seen)
    assert is_now(plant) == ("nonconforming", "bent", "person")
    commit(plant, [a_view("P1", 5, camera="C2")])
    with reading(plant) as connection:
        assert standing(connection, P1).revision != seen
    with pytest.raises(LabelError, match="has no part"):
        say(plant, "ok", PassName(PRODUCT, "P9", "", 1))


def test_a_picture_that_came_since_is_to_be_looked_at(plant: Engine) -> None:
    commit(plant, [a_view("P1")])
    with reading(plant) as connection:
        seen = standing(connection, P1).revision
    commit(plant, [a_view("P1", 5, camera="C2")])
    with pytest.raises(ChangedSinceError, match="a picture of this part came since"):
        say(plant, "ok", revision=seen)


def test_of_two_who_decide_at_once_one_is_told(plant: Engine) -> None:
    commit(plant, [a_view("P1")])

    told: list[str] = []

    def says(label: str, by: str) -> None:
        try:
            say(plant, label, by=by)
        except ChangedSinceError as error:
            told.append(str(error))

    # On PostgreSQL bob commits before ann comes to the part's row; SQLite lets him wait for her.
    sqlite = plant.dialect.name == "sqlite"
    at = "INSERT INTO decisions" if sqlite else "linewatch_settle"
    with meanwhile(plant, at, lambda: says("bent", "bob"), waits=sqlite):
        says("ok", "ann")
    assert len(told) == 1
    assert told[0].startswith("ann called this part good" if sqlite else "bob called this 'bent'")
    assert is_now(plant)[0] == ("conforming" if sqlite else "nonconforming")
    assert len(decisions.history(plant, PRODUCT)) == 1


def test_undo_brings_back_what_was_said_before(plant: Engine) -> None:
    commit(plant, [a_view("P1")])
    say(plant, "bent", by="bob")
    say(plant, "ok", by="ann")
    with pytest.raises(LabelError, match="nothing to take back"):
        undo(plant, by="bob")
    undo(plant)
    assert is_now(plant) == ("nonconforming", "bent", "person")
    assert set(labels.latest(plant, PRODUCT).values()) == {"bent"}
    assert decisions.current(plant, PRODUCT)[0].why.startswith("as bob said at ")
    with pytest.raises(LabelError, match="nothing to take back"):
        undo(plant)


def test_undo_opens_a_part_that_nobody_else_decided(plant: Engine) -> None:
    alone = a_view(None)
    commit(plant, [a_view("P1"), alone])
    picture = PassName(PRODUCT, "", str(alone.id), 1)
    for name in (P1, picture):
        say(plant, "bent", name)
        assert is_now(plant, name)[0] == "nonconforming"
        undo(plant, name)
        assert is_now(plant, name) == ("open", "", "")
    assert labels.latest(plant, PRODUCT) == {}
    assert history.current(plant, PRODUCT) == []
    assert labels.new_since_training(plant) == {PRODUCT: 2}  # what was said, not what took it back
    with reading(plant) as connection:
        assert wrong_labelled(connection) == set()
        found = open_parts(connection, PRODUCT) + open_pictures(connection, PRODUCT)
        assert {one.name for one in found} == {P1, picture}
        assert open_by_product(connection) == {PRODUCT: 2}
    say(plant, "ok", picture)
    assert is_now(plant, picture) == ("conforming", "", "person")


def test_the_first_word_on_a_drawn_part_is_its_answer(plant: Engine) -> None:
    a_product(plant, audit_share=1.0)
    sure: dict[str, Any] = {"verdict": Verdict.PASS, "reason": None, "defect_class": "ok"}
    alone = a_view(None, **sure)
    commit(plant, [a_view("P1", **sure), alone])
    assert {one.name.serial for one in unanswered(plant)} == {"P1", ""}
    for name in (P1, PassName(PRODUCT, "", str(alone.id), 1)):
        stored = say(plant, "bent", name)
        assert stored.drawn
        assert stored.labels == (1 if name.serial else 0)
        assert is_now(plant, name) == ("nonconforming", "bent", "person")
        undo(plant, name)
        assert is_now(plant, name)[2] == "model"
        assert not say(plant, "ok", name).drawn
        assert is_now(plant, name)[0] == "conforming"
    assert unanswered(plant) == []
    with reading(plant) as connection:
        said = connection.scalars(select(table_of(AuditAnswer).c.defect_class)).all()
    assert said == ["bent", "bent"]


def test_a_part_is_golden_once_two_people_agree(plant: Engine) -> None:
    commit(plant, [a_view("P1", camera="C1"), a_view("P1", 1, camera="C2"), a_view("P2")])

    def golden_word(label: str, by: str) -> golden.Agreed:
        say(plant, label, by=by, teach="all", source=golden.SOURCE)
        with transaction(plant) as connection:
            return golden.agree(connection, P1, by, "golden")

    assert golden_word("bent", "ann") == golden.Agreed(0)
    with reading(plant) as connection:
        assert [one.name for one in golden.for_a_second(connection, PRODUCT, "bob")] == [P1]
        assert golden.for_a_second(connection, PRODUCT, "ann") == []
    assert golden_word("burnt", "bob") == golden.Agreed(0, "ann")
    assert golden_word("bent", "cem") == golden.Agreed(0, "bob")
    assert golden_word("bent", "bob") == golden.Agreed(2)
    assert set(golden_members.members(plant, PRODUCT, "golden").values()) == {"bent"}
    with reading(plant) as connection:
        assert golden.for_a_second(connection, PRODUCT, "dan") == []


def test_a_serial_number_of_a_newer_part_is_not_decided(plant: Engine) -> None:
    a_product(plant, serial_unique_within="lot")
    commit(plant, [a_view("P1", lot="A"), a_view("P1", 60, lot="B")])
    with pytest.raises(LabelError, match="a newer part of plug bears the serial number 'P1'"):
        say(plant, "ok", PassName(PRODUCT, "P1", "A", 1))
    assert say(plant, "bent", PassName(PRODUCT, "P1", "B", 1)).labels == 1


def test_the_oldest_open_parts_of_each_line_and_lot_are_read(plant: Engine) -> None:
    commit(
        plant, [a_view(f"{line}-{n}", n, line=line, lot=line) for line in "AB" for n in range(30)]
    )
    committed(plant, decisions.add, [NewDecision(PRODUCT, "A-0", "ok", "ann")])
    commit(plant, [a_view("A-1", 90, camera="C9")])
    with reading(plant) as connection:
        every = open_parts(connection, PRODUCT, limit=60)
        assert {one.name.serial for one in every} == {
            f"{line}-{n}"
            for line in "AB"
            for n in range(30)
            if (line, n) not in {("A", 0), *_late()}
        }
        (first, *_) = open_parts(connection, PRODUCT, lot="B", limit=3)
        assert (first.name.serial, first.lot) == ("B-0", "B")
        assert len(open_parts(connection, PRODUCT, line="A")) == 29
        assert part_of(connection, PassName(PRODUCT, "", "no id", 1)) is None
        assert connection.scalar(select(table_of(Part).c.views).where(Part.serial == "A-1")) == 2


def _late() -> set[tuple[str, int]]:
    """Behind the twenty that are read of each line: one of A's is decided."""
    return {("A", n) for n in range(21, 30)} | {("B", n) for n in range(20, 30)}
