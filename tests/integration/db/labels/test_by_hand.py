"""A person decides one part, as typed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine

from db.inspections.inspections import commit_inspections
from db.labels import decisions
from db.labels.by_hand import decide
from db.labels.decisions import NewDecision
from db.labels.labels import NewLabel, add_labels
from db.retention.queries import purge_inspections
from linewatch.cli import cli
from linewatch.errors import LabelError, LinewatchError, UnknownProductError
from linewatch.settings import Settings
from producer.contract import Verdict
from tests.support.committed import committed
from tests.support.part_facts import DAY, PRODUCT, a_plant, stored_parts
from tests.support.records import a_record

NOON = DAY + timedelta(hours=12)


def seen(engine: Engine, part: str, verdict: Verdict = Verdict.REVIEW, **fields: Any) -> None:
    usual = {"product": PRODUCT, "captured_at": NOON, "decided_at": NOON, "probabilities": None}
    defect = "bent" if verdict is Verdict.DEFECT else None
    record = a_record(part=part, verdict=verdict, defect_class=defect, **{**usual, **fields})
    commit_inspections(engine, [record], UTC)


def say(engine: Engine, part: str, label: str = "ok", **more: Any) -> str:
    decided = committed(engine, decide, NewDecision(PRODUCT, part, label, "bob", **more))
    return f"{decided.pass_number} {decided.disposition}; {decided.before}"


def test_the_latest_pass_is_decided_unless_another_is_named(engine: Engine) -> None:
    a_plant(engine)
    seen(engine, "S1", Verdict.DEFECT)
    seen(engine, "S1", captured_at=NOON + timedelta(hours=2))
    assert say(engine, "S1", "burnt") == "2 nonconforming (burnt); it was open (review)"
    assert say(engine, "S1", pass_number=1) == "1 conforming; it was nonconforming (bent)"
    assert say(engine, "S1", "bent") == "2 nonconforming (bent); it was nonconforming (burnt)"
    with pytest.raises(LabelError, match=r"'S1' of plug was not seen in pass 3; its passes: 1, 2$"):
        say(engine, "S1", pass_number=3)
    assert {row["decided_by"] for row in stored_parts(engine).values()} == {"person"}


def test_what_cannot_be_decided_is_said_in_a_sentence(engine: Engine) -> None:
    a_plant(engine)
    seen(engine, "S1001")
    with pytest.raises(LabelError, match=r"number 'S1O01' was seen; did you mean 'S1001'\?$"):
        say(engine, "S1O01")
    with pytest.raises(LabelError, match=r"the serial number '9{60}…' was seen$"):
        say(engine, "9" * 4096)
    with pytest.raises(LabelError, match=r"plug has no class 'bend'; .* did you mean 'bent'"):
        say(engine, "S1001", "bend")
    with pytest.raises(UnknownProductError, match="did you mean 'plug'"):
        committed(engine, decide, NewDecision("plugg", "S1001", "ok", "bob"))
    assert decisions.history(engine, PRODUCT) == []


@pytest.mark.parametrize("serial", ["9" * 4096, "a\0b", "\ud800"])
def test_a_serial_that_no_database_takes_is_one_part_all_the_same(
    engine: Engine, serial: str
) -> None:
    """As it is kept of the picture, so it is kept of the decision, whoever brings it."""
    a_plant(engine)
    committed(engine, decisions.add, [NewDecision(PRODUCT, serial, "bent", "bob", decided_at=NOON)])
    seen(engine, serial)
    (part,) = stored_parts(engine).values()
    assert (part["disposition"], part["classes"]) == ("nonconforming", "bent")
    assert say(engine, serial) == "1 conforming; it was nonconforming (bent)"


def test_a_part_whose_pictures_are_purged_can_be_decided(engine: Engine) -> None:
    a_plant(engine)
    seen(engine, "S1")
    while committed(engine, purge_inspections, (PRODUCT, [PRODUCT]), NOON + timedelta(days=1), 9):
        pass
    assert say(engine, "S1", "burnt") == "1 nonconforming (burnt); it was open (review)"


def test_labels_and_decisions_where_no_picture_or_part_is(engine: Engine) -> None:
    """A decision may come before its pictures; a label may not."""
    a_plant(engine)
    record = a_record()
    with pytest.raises(LinewatchError, match="no inspection has the id"):
        committed(engine, add_labels, [NewLabel(record.id, "ok", "ann")])
    assert committed(engine, decisions.add, [NewDecision(PRODUCT, "S9", "ok", "bob")]) == 1
    assert stored_parts(engine) == {}


def test_as_typed(make_settings: Callable[..., Settings], engine: Engine) -> None:
    make_settings(database_url=str(engine.url.render_as_string(hide_password=False)))
    a_plant(engine)
    seen(engine, "S1")
    typed = ["decide", PRODUCT, "S1", "bent", "--why", "crushed", "--by", "eve"]
    result = CliRunner().invoke(cli, typed, catch_exceptions=False)
    assert result.output == "plug S1, pass 1: nonconforming (bent), by eve; it was open (review)\n"
    (one,) = decisions.history(engine, PRODUCT)
    said = (one.decided_by, one.why, one.source, one.pass_number)
    assert said == ("eve", "crushed", "command", 1)
