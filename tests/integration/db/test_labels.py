from __future__ import annotations

from datetime import UTC, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from db import feature_spaces, labels, products, training
from db.inspections import commit_inspections
from db.labels import NewLabel, TrainingExample
from db.records import InspectionRecord, StoredFeatures
from linewatch.errors import LabelError
from linewatch.products import load_product, product_files
from tests.support.records import NOON, a_record


@pytest.fixture
def parts(engine: Engine) -> list[InspectionRecord]:
    """Four cables: two with features f1, one with f2, one with none."""
    (cable,) = (load_product(path) for path in product_files() if path.stem == "cable")
    products.register(engine, cable)
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
    labels.add_labels(engine, [say(parts[0], "good", 5), say(parts[0], "bent_wire", 1)])
    assert labels.latest(engine, "cable") == {parts[0].id: "good"}
    labels.add_labels(engine, [say(parts[0], "cable_swap", 2)])  # an import of an old list
    assert labels.latest(engine, "cable") == {parts[0].id: "good"}
    labels.add_labels(engine, [say(parts[0], "combined", 5)])  # the same minute: said later
    assert labels.latest(engine, "cable") == {parts[0].id: "combined"}


def test_a_training_set_has_latest_labels_and_one_kind_of_features(
    engine: Engine, parts: list[InspectionRecord]
) -> None:
    labels.add_labels(engine, [say(part, "good") for part in parts])
    labels.add_labels(engine, [say(parts[1], "bent_wire", 1)])
    expected = [
        TrainingExample(parts[0].id, "good", b"aa"),
        TrainingExample(parts[1].id, "bent_wire", b"bb"),
    ]
    found = labels.training_set(engine, "cable", "f1")
    assert found == sorted(expected, key=lambda example: example.id)
    assert labels.training_set(engine, "plug", "f1") == []
    missing = labels.without_features(engine, "cable", "f1")
    assert {(m.id, m.image_uri) for m in missing} == {
        (parts[2].id, "/2.png"),
        (parts[3].id, "/3.png"),
    }


def test_features_can_be_added_after_a_change_of_encoders(
    engine: Engine, parts: list[InspectionRecord]
) -> None:
    labels.add_labels(engine, [say(part, "good") for part in parts])
    new = [(part.id, StoredFeatures("f3", b"zz")) for part in parts]
    assert feature_spaces.store_features(engine, new) == 4
    assert feature_spaces.store_features(engine, new) == 0
    assert len(labels.training_set(engine, "cable", "f3")) == 4
    assert labels.without_features(engine, "cable", "f3") == []
    feature_spaces.register(engine, "f1", encoders="compact", dim=896)
    assert feature_spaces.newest_labelled(engine, "cable") == feature_spaces.get(engine, "f1")
    feature_spaces.register(engine, "f3", encoders="full", dim=896)
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
            labels.add_labels(engine, [say(parts[0], "good"), bad])
    assert labels.latest(engine, "cable") == {}
    assert labels.add_labels(engine, []) == 0


def test_new_labels_since_training(engine: Engine, parts: list[InspectionRecord]) -> None:
    labels.add_labels(engine, [say(parts[0], "good"), say(parts[1], "good")])
    assert labels.new_since_training(engine) == {"cable": 2}
    training.start_run(engine, "cable", "beat", 60)
    assert labels.new_since_training(engine) == {}
    labels.add_labels(engine, [say(parts[2], "good", minutes=-10_000)])  # said long ago, new here
    assert labels.new_since_training(engine) == {"cable": 1}


def test_registering_again_replaces_the_classes(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "plug.yaml"
    path.write_text("product: plug\nname: A\nclasses: [{code: ok, good: true}, {code: bad}]\n")
    products.register(engine, load_product(path))
    path.write_text("product: plug\nname: B\nclasses: [{code: ok, good: true}, {code: worse}]\n")
    spec = load_product(path)
    products.register(engine, spec)
    assert products.get(engine, "plug") == spec
    assert products.all_products(engine) == {"plug": spec}
    assert products.get(engine, "none") is None
    part = a_record(product="plug")
    commit_inspections(engine, [part], UTC)
    with pytest.raises(LabelError, match="it has ok, worse"):
        labels.add_labels(engine, [say(part, "bad")])
