"""Decisions on parts: append-only, the latest word counts, whatever the order."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from db import audit, products
from db.labels import decisions
from db.labels.decisions import NewDecision
from db.session import transaction
from linewatch.errors import LabelError, UnknownProductError
from tests.support.bench import spec_of
from tests.support.committed import committed
from tests.support.records import NOON


@pytest.fixture
def cable(engine: Engine) -> Engine:
    committed(engine, products.register, spec_of("good", "bent"))
    return engine


def say(label: str, minutes: int = 0, **fields: object) -> NewDecision:
    usual = {"product": "cable", "part": "P-1", "decided_by": "ann"}
    at = NOON + timedelta(minutes=minutes)
    return NewDecision(**{**usual, "label": label, "decided_at": at, **fields})  # type: ignore[arg-type]


def test_the_latest_word_on_a_part_and_pass_counts(cable: Engine) -> None:
    committed(cable, decisions.add, [say("bent", 5), say("good", 1)])
    (held,) = decisions.current(cable, "cable")
    assert (held.disposition, held.defect_class) == ("nonconforming", "bent")
    assert held.recorded_at > held.decided_at == NOON + timedelta(minutes=5)
    committed(cable, decisions.add, [say("good", 5)])  # the same minute: said later
    (held,) = decisions.current(cable, "cable", "P-1")
    assert (held.disposition, held.defect_class) == ("conforming", None)
    committed(cable, decisions.add, [say("bent", pass_number=2), say("good", part="P-2")])
    found = {
        (one.part, one.pass_number): one.disposition for one in decisions.current(cable, "cable")
    }
    assert found == {
        ("P-1", None): "conforming",
        ("P-1", 2): "nonconforming",
        ("P-2", None): "conforming",
    }
    assert len(decisions.history(cable, "cable")) == 5
    assert [deed.action for deed in audit.newest(cable)][:3] == ["decision.add"] * 3
    assert committed(cable, decisions.add, []) == 0


def test_decisions_are_all_recorded_or_none(cable: Engine) -> None:
    unknown = say("bend", where="x.csv, line 2")
    with pytest.raises(LabelError, match=r"^x.csv, line 2: product cable has no class 'bend'"):
        committed(cable, decisions.add, [say("good"), unknown])
    with pytest.raises(UnknownProductError, match="'cabel'; did you mean 'cable'"):
        committed(cable, decisions.add, [say("good"), say("good", product="cabel")])
    assert decisions.history(cable, "cable") == []


def test_the_database_holds_to_the_two_dispositions(cable: Engine) -> None:
    committed(cable, decisions.add, [say("good")])
    for change in ("disposition = 'nonconforming'", "defect_class = 'bent'", "disposition = 'x'"):
        statement = text(f"UPDATE decisions SET {change}")
        with pytest.raises(IntegrityError), transaction(cable) as connection:
            connection.execute(statement)
