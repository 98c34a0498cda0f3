from __future__ import annotations

from datetime import UTC, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from db import products
from db.inspections.inspections import commit_inspections
from db.inspections.records import InspectionRecord, StoredFeatures
from db.labels import golden_members, labels
from db.labels.labels import NewLabel, TrainingExample
from db.models import feature_spaces, runs
from linewatch.errors import LabelError
from linewatch.products import load_product, shipped_product
from tests.support.committed import committed
from tests.support.records import NOON, a_record


@pytest.fixture
def parts(engine: Engine) -> list[InspectionRecord]:
    """Four cables: two with features f1, one with f2, one with none."""
    cable = shipped_product("cable")
    committed(engine, products.register, cable)
    kinds = [("f1", b"aa"), ("f1", b"bb"), ("f2", b"cc"), None]
    records = [
        a_record(features=StoredFeatures(*kind) if kind else None, image_uri=f"/{n}.png")
        for n, kind in enumerate(kinds)
    ]
    commit_inspections(engine, records, UTC)
    return records


def say(record: InspectionRecord, label: str, minutes: int = 0) -> NewLabel:
    return NewLabel(record.id, label, "ann", labelled_at=NOON + timedelta(minutes=minutes))


def test_the_latest_word_counts_whatever_the_order(
    engine: Engine, parts: list[InspectionRecord]
) -> None:
    committed(engine, labels.add_labels, [say(parts[0], "good", 5), say(parts[0], "bent_wire", 1)])
    assert labels.latest(engine, "cable") == {parts[0].id: "good"}
    committed(
        engine, labels.add_labels, [say(parts[0], "cable_swap", 2)]
    )  # an import of an old list
    assert labels.latest(engine, "cable") == {parts[0].id: "good"}
    committed(
        engine, labels.add_labels, [say(parts[0], "combined", 5)]
    )  # the same minute: said later
    assert labels.latest(engine, "cable") == {parts[0].id: "combined"}


def test_a_training_set_has_latest_labels_and_one_kind_of_features(
    engine: Engine, parts: list[InspectionRecord]
) -> None:
    committed(engine, labels.add_labels, [say(part, "good") for part in parts])
    committed(engine, labels.add_labels, [say(parts[1], "bent_wire", 1)])
    expected = [
        TrainingExample(parts[0].id, "good", b"aa", '["", "P-1"]'),
        TrainingExample(parts[1].id, "bent_wire", b"bb", '["", "P-1"]'),
    ]
    found = labels.training_set(engine, "cable", "f1")
    assert found == sorted(expected, key=lambda example: example.id)
    assert labels.training_set(engine, "plug", "f1") == []
    missing = labels.without_features(engine, "cable", "f1")
    assert {(m.id, m.image_uri) for m in missing} == {
        (parts[2].id, "/2.png"),
        (parts[3].id, "/3.png"),
    }


def test_golden_pictures_are_read_again_too(engine: Engine, parts: list[InspectionRecord]) -> None:
    """Else the gate would have nothing to compare on after a change of encoders."""
    committed(engine, labels.add_labels, [say(parts[0], "good")])
    committed(
        engine,
        golden_members.add,
        "cable",
        "g",
        {parts[0].id: "good", parts[1].id: "good"},
        by="ann",
    )
    committed(engine, golden_members.add, "cable", "h", {parts[1].id: "bent_wire"}, by="ann")
    wanted = sorted([parts[0].id, parts[1].id])
    assert [m.id for m in labels.without_features(engine, "cable", "f2")] == wanted
    assert [m.id for m in labels.without_features(engine, "cable", "f2", limit=1)] == wanted[1:]
    assert labels.without_features(engine, "cable", "f1") == []


def test_features_can_be_added_after_a_change_of_encoders(
    engine: Engine, parts: list[InspectionRecord]
) -> None:
    committed(engine, labels.add_labels, [say(part, "good") for part in parts])
    new = [(part.id, StoredFeatures("f3", b"zz")) for part in parts]
    assert committed(engine, feature_spaces.store_features, new) == 4
    assert committed(engine, feature_spaces.store_features, new) == 0
    assert len(labels.training_set(engine, "cable", "f3")) == 4
    assert labels.without_features(engine, "cable", "f3") == []
    committed(engine, feature_spaces.register, "f1", encoders="compact", dim=896)
    assert feature_spaces.newest_labelled(engine, "cable") == feature_spaces.get(engine, "f1")
    committed(engine, feature_spaces.register, "f3", encoders="full", dim=896)
    space = feature_spaces.newest_labelled(engine, "cable")
    assert space is not None
    assert (space.fingerprint, space.encoders, space.dim) == ("f3", "full", 896)
    assert feature_spaces.newest_labelled(engine, "plug") is None


def test_labels_are_all_stored_or_none(engine: Engine, parts: list[InspectionRecord]) -> None:
    unregistered = a_record(product="plug")
    commit_inspections(engine, [unregistered], UTC)
    for bad, words in [
        (say(parts[1], "bend_wire"), "no class 'bend_wire'; it has good, bent_wire"),
        (NewLabel(uuid4(), "good", "ann"), "submit the picture first"),
        (say(unregistered, "good"), "'plug', which is not registered"),
    ]:
        with pytest.raises(LabelError, match=words):
            committed(engine, labels.add_labels, [say(parts[0], "good"), bad])
    assert labels.latest(engine, "cable") == {}
    assert committed(engine, labels.add_labels, []) == 0


def test_new_labels_since_training(engine: Engine, parts: list[InspectionRecord]) -> None:
    committed(engine, labels.add_labels, [say(parts[0], "good"), say(parts[1], "good")])
    assert labels.new_since_training(engine) == {"cable": 2}
    committed(engine, runs.start_run, "cable", "beat", 60)
    assert labels.new_since_training(engine) == {}
    committed(
        engine, labels.add_labels, [say(parts[2], "good", minutes=-10_000)]
    )  # said long ago, new here
    assert labels.new_since_training(engine) == {"cable": 1}


def test_registering_again_replaces_the_classes(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "plug.yaml"
    path.write_text("product: plug\nname: A\nclasses: [{code: ok, good: true}, {code: bad}]\n")
    committed(engine, products.register, load_product(path))
    path.write_text("product: plug\nname: B\nclasses: [{code: ok, good: true}, {code: worse}]\n")
    spec = load_product(path)
    committed(engine, products.register, spec)
    assert products.get(engine, "plug") == spec
    assert products.all_products(engine) == {"plug": spec}
    assert products.get(engine, "none") is None
    part = a_record(product="plug")
    commit_inspections(engine, [part], UTC)
    with pytest.raises(LabelError, match="it has ok, worse"):
        committed(engine, labels.add_labels, [say(part, "bad")])
