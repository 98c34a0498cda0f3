"""Maps and tokens in both databases: what is stored, read, and goes with its picture."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import Engine, func, select

from db.inspections.inspections import commit_inspections
from db.inspections.records import InspectionRecord, StoredFeatures, StoredMap
from db.inspections.unlike_maps import map_of, scores_of
from db.labels import golden_members, labels
from db.models import patch_tokens
from db.retention.queries import purge_features, purge_inspections
from db.session import reading, transaction
from db.tables import UnlikeMap
from tests.support.bench import spec_of
from tests.support.committed import committed
from tests.support.records import a_record

LOOK = "clip/1"


@pytest.fixture
def product(engine: Engine) -> None:
    from db import products

    committed(engine, products.register, spec_of("good", "bent"))


def a_map(version: str, score: float) -> StoredMap:
    places = np.arange(6, dtype="<f2").reshape(2, 3)
    return StoredMap(version, score, 0.25, 2, 3, (0.0, 0.125, 1.0, 0.875), places.tobytes())


def maps(engine: Engine) -> int:
    with reading(engine) as connection:
        return int(connection.scalar(select(func.count()).select_from(UnlikeMap)) or 0)


def test_the_judges_map_comes_before_a_shadows(engine: Engine, product: None) -> None:
    both = (a_map("a-shadow", 0.5), a_map("m1", 0.75))
    record = a_record(model_version="m1", maps=both)
    other = a_record(model_version="m2", maps=both[:1])
    bare = a_record(model_version="m1")
    assert commit_inspections(engine, [record, other, bare], UTC) == {record.id, other.id, bare.id}
    commit_inspections(engine, [record], UTC)  # delivered twice
    assert maps(engine) == 3
    with reading(engine) as connection:
        found = map_of(connection, record.id)
        shadow = map_of(connection, record.id, "a-shadow")
        instead = map_of(connection, other.id)
        assert map_of(connection, bare.id) is None
        assert map_of(connection, record.id, "none") is None
    assert found is not None
    assert (found.version, found.score, found.border) == ("m1", 0.75, 0.25)
    assert found.box == (0.0, 0.125, 1.0, 0.875)
    assert found.places.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert shadow is not None
    assert shadow.score == 0.5
    assert instead is not None
    assert instead.version == "a-shadow"
    ids = [record.id, other.id, bare.id]
    assert scores_of(engine, ids, "a-shadow") == {record.id: 0.5, other.id: 0.5}
    assert scores_of(engine, ids, "m1") == {record.id: 0.75}


def test_maps_go_with_the_features_and_with_the_picture(engine: Engine, product: None) -> None:
    then = datetime.now(UTC) - timedelta(days=9)
    old, labelled, young = (
        a_record(decided_at=at, product="cable", model_version="m", maps=(a_map("m", 0.5),))
        for at in (then, then, datetime.now(UTC))
    )
    commit_inspections(engine, [old, labelled, young], UTC)
    committed(engine, labels.add_labels, [labels.NewLabel(labelled.id, "good", "ann")])
    known = ("cable", ["cable"])
    before = datetime.now(UTC) - timedelta(days=1)
    with transaction(engine) as connection:
        purge_features(connection, known, before, 10)
    assert left(engine, old, labelled, young) == {labelled.id, young.id}
    with transaction(engine) as connection:
        purge_inspections(connection, known, datetime.now(UTC) + timedelta(days=1), 10)
    assert left(engine, old, labelled, young) == {labelled.id}


def left(engine: Engine, *records: InspectionRecord) -> set[UUID]:
    return set(scores_of(engine, [record.id for record in records], "m"))


def test_tokens_are_made_of_good_pictures_that_models_learn_from(
    engine: Engine, product: None
) -> None:
    records = [a_record(features=StoredFeatures("f", b"aa"), part=f"P{n}") for n in range(24)]
    commit_inspections(engine, records, UTC)
    ids = [record.id for record in records]
    say(engine, ids[:19], "good")
    wanted = ("cable", "good", "f", LOOK)
    assert patch_tokens.without_tokens(engine, *wanted, limit=99) == []  # too few to remember
    say(engine, ids[19:], "good")
    say(engine, ids[:1], "bent")
    committed(engine, golden_members.add, "cable", "g", {ids[1]: "good"}, by="ann")
    assert lacking(engine, wanted) == set(ids[2:])
    assert len(patch_tokens.without_tokens(engine, *wanted, limit=3)) == 3
    made = {id_: bytes([n, 1, 2, 3]) for n, id_ in enumerate(ids[2:5])}
    assert committed(engine, patch_tokens.store_tokens, "f", LOOK, 2, made) == 3
    assert committed(engine, patch_tokens.store_tokens, "f", LOOK, 2, made) == 0
    assert committed(engine, patch_tokens.store_tokens, "f", LOOK, 2, {}) == 0
    assert lacking(engine, wanted) == set(ids[5:])
    assert lacking(engine, ("cable", "good", "f", "other")) == set(ids[2:])
    assert lacking(engine, ("cable", "good", "g", LOOK)) == set()
    found = patch_tokens.tokens(engine, ids, "f", LOOK)
    assert found == {id_: (2, data) for id_, data in made.items()}
    assert patch_tokens.tokens(engine, ids, "f", "other") == {}


def say(engine: Engine, ids: list[UUID], label: str) -> None:
    committed(engine, labels.add_labels, [labels.NewLabel(id_, label, "ann") for id_ in ids])


def lacking(engine: Engine, wanted: tuple[str, str, str, str]) -> set[UUID]:
    return {one.id for one in patch_tokens.without_tokens(engine, *wanted, limit=99)}
