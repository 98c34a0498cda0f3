"""What people say while others freeze, register and purge."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import Engine

from db import audit, products
from db.inspections.inspections import commit_inspections
from db.inspections.records import StoredFeatures
from db.labels import decisions, golden_members, golden_sets, labels
from db.labels.decisions import NewDecision
from db.labels.labels import NewLabel
from db.models import feature_spaces
from db.retention import queries
from linewatch.errors import LabelError
from tests.support.bench import spec_of
from tests.support.committed import committed
from tests.support.interleaving import meanwhile
from tests.support.records import NOON, UTC, a_record

CABLES = ("cable", ["cable"])
AFTERWARDS = NOON + timedelta(days=1)


@pytest.fixture
def pictures(engine: Engine) -> list[UUID]:
    """Two pictures of registered cables, with features."""
    committed(engine, products.register, spec_of("good", "bent"))
    records = [a_record(part=f"P-{n}", features=StoredFeatures("f", b"12")) for n in range(2)]
    commit_inspections(engine, records, UTC)
    return sorted(record.id for record in records)


def writing(engine: Engine, statement: str) -> str:
    """Where the other one acts: SQLite's transactions are alone from their beginning."""
    return "BEGIN IMMEDIATE" if engine.dialect.name == "sqlite" else statement


def test_a_frozen_set_is_what_its_digest_says(engine: Engine, pictures: list[UUID]) -> None:
    first, second = pictures
    committed(engine, golden_members.add, "cable", "g", {first: "good"}, by="ann")

    def join() -> None:
        with pytest.raises(LabelError, match="is frozen, so no picture joins"):
            committed(engine, golden_members.add, "cable", "g", {second: "good"}, by="bob")

    with meanwhile(engine, "INSERT INTO golden_sets", join, waits=True):
        frozen = committed(engine, golden_members.freeze, "cable", "g", by="ann")
    held = golden_members.members(engine, "cable", "g")
    assert (frozen.pictures, frozen.digest) == (1, golden_members.digest(held))


def test_a_set_that_was_frozen_meanwhile_is_not_dissolved_without_a_reason(
    engine: Engine, pictures: list[UUID]
) -> None:
    committed(engine, golden_members.add, "cable", "g", {pictures[0]: "good"}, by="ann")
    freeze = partial(committed, engine, golden_members.freeze, "cable", "g", by="ann")
    with (
        pytest.raises(LabelError, match="cable/g is frozen; --all needs --why REASON"),
        meanwhile(engine, writing(engine, "SELECT linewatch_lock"), freeze),
    ):
        committed(engine, golden_members.dissolve, "cable", "g", by="bob")
    assert golden_sets.frozen(engine, "cable", "g") is not None
    assert committed(engine, golden_members.dissolve, "cable", "g", by="bob", why="wrong") == 1


@pytest.mark.parametrize("what", ["label", "decision"])
def test_classes_stay_while_somebody_speaks_in_them(
    engine: Engine, pictures: list[UUID], what: str
) -> None:
    """Who registers the product without the class waits, and the log has it in that order."""
    anew = partial(committed, engine, products.register, spec_of("good", "cut"), by="bob")
    with meanwhile(engine, f"INSERT INTO {what}s", anew, waits=True):
        if what == "label":
            committed(engine, labels.add_labels, [NewLabel(pictures[0], "bent", "ann")])
        else:
            committed(engine, decisions.add, [NewDecision("cable", "P-0", "bent", "ann")])
    deeds = [deed.action for deed in audit.newest(engine)]
    assert deeds == ["product.register", f"{what}.add", "product.register"]
    with pytest.raises(LabelError, match="has no class 'bent'"):
        committed(engine, labels.add_labels, [NewLabel(pictures[0], "bent", "ann")])


def test_a_label_on_a_picture_that_is_purged_meanwhile(
    engine: Engine, pictures: list[UUID]
) -> None:
    purge = partial(committed, engine, queries.purge_inspections, CABLES, AFTERWARDS, 10)
    said = [NewLabel(id_, "good", "ann", where=f"line {n}") for n, id_ in enumerate(pictures)]
    with (
        pytest.raises(LabelError, match=f"line 0: no inspection has the id {pictures[0]}"),
        meanwhile(engine, writing(engine, "INSERT INTO labels"), purge),
    ):
        committed(engine, labels.add_labels, said)
    assert labels.latest(engine, "cable") == {}


def test_a_golden_picture_that_is_purged_meanwhile(engine: Engine, pictures: list[UUID]) -> None:
    purge = partial(committed, engine, queries.purge_inspections, CABLES, AFTERWARDS, 10)
    with (
        pytest.raises(LabelError, match="no inspection has the id"),
        meanwhile(engine, writing(engine, "INSERT INTO golden_items"), purge),
    ):
        committed(engine, golden_members.add, "cable", "g", dict.fromkeys(pictures, "good"), by="a")
    assert golden_sets.all_sets(engine) == []


def test_a_picture_that_is_being_labelled_keeps_its_features(
    engine: Engine, pictures: list[UUID]
) -> None:
    """The label is written and not committed yet when the purge comes to its picture."""
    purge = partial(committed, engine, queries.purge_features, CABLES, AFTERWARDS, 10)
    at = "INSERT INTO audit_log" if engine.dialect.name == "sqlite" else "SELECT linewatch_audit"
    said = [NewLabel(pictures[1], "good", "ann"), NewLabel(pictures[0], "good", "ann")]
    with meanwhile(engine, at, purge, waits=True):
        committed(engine, labels.add_labels, said)
    assert feature_spaces.vectors(engine, pictures, "f").keys() == set(pictures)
