"""Purges: by age, kind and product, never what is labelled or golden, on both databases."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, func, select

from db import audit, golden, labels, partitions, products
from db.inspections import commit_inspections, existing
from db.records import InspectionRecord, StoredFeatures
from db.session import reading
from db.tables import Feature, InspectionHourly, InspectionScore
from linewatch.products import parse_product
from linewatch.retention import Kind
from linewatch.settings import Settings
from tests.integration.db.test_partitions import id_at
from tests.support.records import a_record
from workers.purging import Purge

NOW = datetime.now(UTC)
CLASSES = [{"code": "good", "good": True}, {"code": "bent_wire"}]


@pytest.fixture
def plant(engine: Engine) -> Engine:
    """Two products: cable as the settings say, plug with wishes of its own."""
    products.register(engine, parse_product({"product": "cable", "classes": CLASSES}, "t"))
    own = {"inspections": "forever", "features": 5}
    plug = {"product": "plug", "classes": CLASSES, "retention": own}
    products.register(engine, parse_product(plug, "t"))
    return engine


def commit(engine: Engine, days: float, **fields: Any) -> UUID:
    at = NOW - timedelta(days=days)
    usual = {"id": id_at(at), "decided_at": at, "features": StoredFeatures("f", b"12")}
    record: InspectionRecord = a_record(**{**usual, **fields})
    commit_inspections(engine, [record], UTC)
    return record.id


def rows(engine: Engine, table: Any) -> int:
    with reading(engine) as connection:
        return int(connection.scalar(select(func.count()).select_from(table)) or 0)


def purge(engine: Engine, **settings: Any) -> dict[tuple[str, str], int]:
    made = Settings(retention_batch=2, **settings)
    done = Purge(engine, made, by="ann", now=NOW).run()
    return {(str(item.kind), item.product): item.count for item in done if item.count}


def test_nothing_goes_where_nothing_is_set(engine: Engine) -> None:
    id_ = commit(engine, 5000)
    assert purge(engine) == {}
    assert existing(engine, [id_]) == {id_}
    assert audit.newest(engine) == []


def test_old_inspections_go_with_scores_and_features(plant: Engine) -> None:
    old = [commit(plant, 40 + n) for n in range(5)]
    new = commit(plant, 20)
    foreign = commit(plant, 40, product="plug")
    stray = commit(plant, 40, product=None)
    counted = rows(plant, InspectionHourly)
    assert purge(plant, retention_inspections_days=30) == {
        ("inspections", "cable"): 5,
        ("inspections", ""): 1,
        ("features", "plug"): 1,
    }
    assert existing(plant, [*old, new, foreign, stray]) == {new, foreign}
    assert rows(plant, InspectionScore) == 2
    assert rows(plant, Feature) == 1
    assert rows(plant, InspectionHourly) == counted  # reports outlive what they were made from
    deeds = [deed for deed in audit.newest(plant) if deed.action == "retention.purge"]
    assert {(deed.actor, deed.subject, deed.detail["count"]) for deed in deeds} == {
        ("ann", "cable", 5),
        ("ann", "unregistered products", 1),
        ("ann", "plug", 1),
    }


def test_what_is_labelled_or_golden_stays_whole(plant: Engine, tmp_path: Path) -> None:
    ids = []
    for name in ("labelled.png", "golden.png", "plain.png"):
        path = tmp_path / name
        path.write_bytes(b"x")
        os.utime(path, (0, 0))
        ids.append(commit(plant, 400, image_uri=str(path)))
    labels.add_labels(plant, [labels.NewLabel(ids[0], "good", "ann")])
    golden.add(plant, "cable", "frozen", {ids[1]: "good"}, by="ann")
    everything = {f"retention_{kind}_days": 1 for kind in Kind}
    purge(plant, **everything, retention_delete_files=True, image_roots=(tmp_path,))
    assert existing(plant, ids) == set(ids[:2])
    assert rows(plant, Feature) == 2
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["golden.png", "labelled.png"]


def test_features_go_first_and_are_not_looked_at_twice(plant: Engine) -> None:
    ids = [commit(plant, 40) for _ in range(5)]
    assert purge(plant, retention_features_days=30) == {("features", "cable"): 5}
    assert existing(plant, ids) == set(ids)
    assert purge(plant, retention_features_days=30) == {}


def test_rollups_go_by_their_hour(plant: Engine) -> None:
    for days in (40, 41, 42, 3):
        commit(plant, days)
    assert purge(plant, retention_rollups_days=30) == {("rollups", "cable"): 3}
    assert rows(plant, InspectionHourly) == 1


@pytest.fixture
def picture(tmp_path: Path) -> Callable[..., str]:
    def make(name: str, days: float = 40) -> str:
        path = tmp_path / "roots" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
        at = (NOW - timedelta(days=days)).timestamp()
        os.utime(path, (at, at))
        return str(path)

    return make


def test_files_go_only_beneath_the_roots_and_only_if_allowed(
    plant: Engine, tmp_path: Path, picture: Callable[..., str]
) -> None:
    inside = picture("sub/inside.png")
    outside = picture("../outside.png")
    commit(plant, 40, image_uri=inside)
    commit(plant, 40, image_uri=outside)
    commit(plant, 40, image_uri=f"file://{tmp_path}/roots/sub/../../outside.png")
    limits = {"retention_pictures_days": 30, "image_roots": (tmp_path / "roots",)}
    assert purge(plant, **limits) == {}
    assert Path(inside).exists()
    assert purge(plant, **limits, retention_delete_files=True) == {("pictures", "cable"): 1}
    assert not Path(inside).exists()
    assert Path(outside).exists()


def test_a_file_that_is_used_again_stays(
    plant: Engine, picture: Callable[..., str], tmp_path: Path
) -> None:
    shared, rewritten = picture("shared.png"), picture("rewritten.png", days=1)
    commit(plant, 40, image_uri=shared)
    newer = commit(plant, 2, image_uri=shared)
    commit(plant, 40, image_uri=rewritten)
    relabelled = picture("relabelled.png")
    commit(plant, 40, image_uri=relabelled)
    again = commit(plant, 39, image_uri=relabelled)
    labels.add_labels(plant, [labels.NewLabel(again, "good", "ann")])
    limits = {"retention_pictures_days": 30, "image_roots": (tmp_path / "roots",)}
    assert purge(plant, **limits, retention_delete_files=True) == {}
    assert all(Path(path).exists() for path in (shared, rewritten, relabelled))
    assert existing(plant, [newer]) == {newer}


def test_a_root_that_cannot_be_reached_is_tried_again(
    plant: Engine, picture: Callable[..., str], tmp_path: Path
) -> None:
    uri = picture("late.png")
    commit(plant, 40, image_uri=uri)
    roots = tmp_path / "roots"
    away = tmp_path / "away"
    roots.rename(away)
    roots.symlink_to(roots)  # a loop: neither there nor missing
    limits = {"retention_pictures_days": 30, "retention_delete_files": True}
    assert purge(plant, **limits, image_roots=(roots,)) == {}
    roots.unlink()
    away.rename(roots)
    assert purge(plant, **limits, image_roots=(roots,)) == {("pictures", "cable"): 1}


def test_a_dry_run_says_the_same_and_does_nothing(plant: Engine) -> None:
    ids = [commit(plant, 40) for _ in range(3)]
    settings = Settings(retention_inspections_days=30, retention_rollups_days=30)
    purging = Purge(plant, settings, by="ann", now=NOW)
    expected = {(p.kind, p.product): p.count for p in purging.preview()}
    assert existing(plant, ids) == set(ids)
    assert {(p.kind, p.product): p.count for p in purging.run()} == expected


def test_whole_months_go_at_once_where_they_may(postgresql_url: str) -> None:
    from db.session import engine_for

    engine = engine_for(postgresql_url)
    old = [commit(engine, 100) for _ in range(3)]
    new = commit(engine, 1)
    partitions.convert(engine, months_ahead=1)
    months = len(partitions.existing(engine))
    done = purge(engine, retention_inspections_days=60)
    assert [kind for kind, _ in done] == ["inspections"]
    assert next(iter(done))[1].startswith("partition ")
    assert len(partitions.existing(engine)) < months
    assert existing(engine, [*old, new]) == {new}
