"""Features of copies in both databases: who lacks them, and what is stored."""

from __future__ import annotations

from datetime import UTC
from uuid import UUID

import pytest
from sqlalchemy import Engine, delete

from db.base import table_of
from db.inspections.inspections import commit_inspections
from db.inspections.records import InspectionRecord, StoredFeatures
from db.labels import golden_members, labels
from db.models import feature_copies
from db.session import transaction
from db.tables import Inspection, Label, LabelledPicture
from tests.support.bench import spec_of
from tests.support.committed import committed
from tests.support.records import a_record

NAMES = ("mirrored", "turned 90")


@pytest.fixture
def parts(engine: Engine) -> list[InspectionRecord]:
    """Labelled: two with features, one golden, one without features; and one unlabelled."""
    from db import products

    committed(engine, products.register, spec_of("good", "bent"))
    kinds = [b"aa", b"bb", b"cc", None, b"ee"]
    records = [
        a_record(features=StoredFeatures("f", kind) if kind else None, image_uri=f"/{n}.png")
        for n, kind in enumerate(kinds)
    ]
    commit_inspections(engine, records, UTC)
    said = [labels.NewLabel(record.id, "good", "ann") for record in records[:4]]
    committed(engine, labels.add_labels, said)
    committed(engine, golden_members.add, "cable", "g", {records[2].id: "good"}, by="ann")
    return records


def lacking(engine: Engine, names: tuple[str, ...] = NAMES) -> set[UUID]:
    found = feature_copies.without_copies(engine, "cable", "f", names, limit=9)
    return {example.id for example in found}


def stored(*names: str) -> dict[str, StoredFeatures]:
    return {name: StoredFeatures("f", name[:2].encode()) for name in names}


def test_pictures_that_models_learn_from_get_copies(
    engine: Engine, parts: list[InspectionRecord]
) -> None:
    first, second = parts[0].id, parts[1].id
    assert lacking(engine) == {first, second}
    assert len(feature_copies.without_copies(engine, "cable", "f", NAMES, limit=1)) == 1
    assert feature_copies.without_copies(engine, "plug", "f", NAMES, limit=9) == []
    assert feature_copies.without_copies(engine, "cable", "other", NAMES, limit=9) == []
    assert committed(engine, feature_copies.store_copies, first, stored("mirrored")) == 1
    assert lacking(engine) == {first, second}
    assert lacking(engine, ("mirrored",)) == {second}
    assert committed(engine, feature_copies.store_copies, first, stored(*NAMES)) == 1
    assert lacking(engine) == {second}
    assert lacking(engine, ("darker",)) == {first, second}
    assert committed(engine, feature_copies.store_copies, second, {}) == 0


def test_they_are_read_by_name_and_go_with_their_picture(
    engine: Engine, parts: list[InspectionRecord]
) -> None:
    ids = [part.id for part in parts]
    for id_ in ids[:2]:
        committed(engine, feature_copies.store_copies, id_, stored("turned 90", "mirrored"))
    found = feature_copies.vectors(engine, ids, "f")
    assert found == {id_: {"mirrored": b"mi", "turned 90": b"tu"} for id_ in ids[:2]}
    assert list(found[ids[0]]) == ["mirrored", "turned 90"]
    assert feature_copies.vectors(engine, ids, "other") == {}
    with transaction(engine) as connection:
        for table, column in (
            (LabelledPicture, "inspection_id"),
            (Label, "inspection_id"),
            (Inspection, "id"),
        ):
            rows = table_of(table)
            connection.execute(delete(rows).where(rows.c[column] == ids[0]))
    assert feature_copies.vectors(engine, ids, "f").keys() == {ids[1]}
