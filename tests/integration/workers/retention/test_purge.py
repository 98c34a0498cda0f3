"""Purges: by age, kind and product, never what is labelled or golden, on both databases."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, create_engine, event, func, select

from db import audit, products
from db.base import table_of
from db.inspections import dead_letters, requeues
from db.inspections.inspections import commit_inspections, existing
from db.inspections.records import InspectionRecord, ShadowJudgement, StoredFeatures
from db.labels import golden_members, labels
from db.retention import partitions, queries
from db.retention.policy import Kind
from db.session import reading
from db.tables import Feature, InspectionHourly, InspectionScore, Label
from linewatch.products import parse_product
from linewatch.settings import Settings
from producer.contract import Verdict
from tests.integration.db.retention.test_partitions import id_at
from tests.support.committed import committed
from tests.support.records import a_record
from workers.retention.purge import Purge

NOW = datetime.now(UTC)
CLASSES = [{"code": "good", "good": True}, {"code": "bent_wire"}]


@pytest.fixture
def plant(engine: Engine) -> Engine:
    """Two products: cable as the settings say, plug with wishes of its own."""
    committed(
        engine, products.register, parse_product({"product": "cable", "classes": CLASSES}, "t")
    )
    own = {"inspections": "forever", "features": 5}
    plug = {"product": "plug", "classes": CLASSES, "retention": own}
    committed(engine, products.register, parse_product(plug, "t"))
    return engine


def commit(engine: Engine, days: float, **fields: Any) -> UUID:
    at = NOW - timedelta(days=days)
    usual = {
        "id": id_at(at),
        "decided_at": at,
        "features": StoredFeatures("f", b"12"),
        "shadow": ShadowJudgement("shadow", Verdict.PASS, None, {"good": 1.0}),
    }
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
    committed(plant, labels.add_labels, [labels.NewLabel(ids[0], "good", "ann")])
    committed(plant, golden_members.add, "cable", "frozen", {ids[1]: "good"}, by="ann")
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
    committed(plant, labels.add_labels, [labels.NewLabel(again, "good", "ann")])
    limits = {"retention_pictures_days": 30, "image_roots": (tmp_path / "roots",)}
    assert purge(plant, **limits, retention_delete_files=True) == {}
    assert all(Path(path).exists() for path in (shared, rewritten, relabelled))
    assert existing(plant, [newer]) == {newer}


def keep_by_label(engine: Engine, id_: UUID) -> None:
    committed(engine, labels.add_labels, [labels.NewLabel(id_, "good", "ann")])


def keep_as_golden(engine: Engine, id_: UUID) -> None:
    committed(engine, golden_members.add, "cable", "g", {id_: "good"}, by="ann")


SPELLINGS = {
    "dots": "{root}/other/../sub/x.png",
    "more dots": "{root}/sub/./.././sub/x.png",
    "slashes": "//{root}//sub///x.png",
    "uri": "file://{root}/sub/x.png",
    "uri of a host": "file://localhost{root}/sub/x.png",
    "capitals": "FILE://{root}/sub/x.png",
    "quoted": "file://{root}/s%75b/%78.png",
    "link to the file": "{root}/other/link.png",
    "link to a link": "{root}/other/linked.png",
    "link to the folder": "{root}/linked/x.png",
    "dots behind a link": "{root}/linked/../sub/x.png",
    "hard link": "{root}/other/hard.png",
    "root by a link": "{place}/roots_too/sub/x.png",
    "root that is none now": "{place}/elsewhere/sub/x.png",
}


@pytest.mark.parametrize(
    ("spelling", "keep"),
    list(zip(SPELLINGS.values(), itertools.cycle([keep_by_label, keep_as_golden]), strict=False)),
    ids=SPELLINGS,
)
def test_a_kept_picture_keeps_its_file_however_it_is_spelt(
    plant: Engine,
    picture: Callable[..., str],
    tmp_path: Path,
    spelling: str,
    keep: Callable[[Engine, UUID], None],
) -> None:
    path, root = Path(picture("sub/x.png")), tmp_path / "roots"
    picture("other/y.png")
    (root / "other/link.png").symlink_to(path)
    (root / "other/linked.png").symlink_to("link.png")
    (root / "other/hard.png").hardlink_to(path)
    (root / "linked").symlink_to("sub")
    (tmp_path / "roots_too").symlink_to(root)
    (tmp_path / "elsewhere").symlink_to(root)
    roots = (root, tmp_path / "roots_too")
    kept = commit(plant, 50, image_uri=spelling.format(root=root, place=tmp_path), image_sha256="a")
    for n, name in enumerate([path, *(f"{one}/sub/x.png" for one in roots)]):
        commit(plant, 60 + n, image_uri=str(name), image_sha256="b")
    commit(plant, 60, image_uri=str(root / "other/y.png"))
    keep(plant, kept)
    limits = {"retention_pictures_days": 30, "retention_delete_files": True, "image_roots": roots}
    assert purge(plant, **limits) == {("pictures", "cable"): 1}
    assert path.exists()
    assert not (root / "other/y.png").exists()


def test_a_picture_that_was_sent_again_keeps_its_file(
    plant: Engine, picture: Callable[..., str], tmp_path: Path
) -> None:
    path = picture("sub/x.png")
    dead = commit(plant, 50, image_uri=f"file://{path}", verdict=Verdict.DEAD_LETTER)
    commit(plant, 60, image_uri=path)
    letter = committed(
        plant, dead_letters.add, reason="poison", detail="", payload="{}", image_id=dead
    )
    committed(plant, requeues.allow, letter, [dead], by="ann")
    limits = {"retention_pictures_days": 30, "image_roots": (tmp_path / "roots",)}
    assert purge(plant, **limits, retention_delete_files=True) == {}
    assert Path(path).exists()


@pytest.mark.parametrize(
    ("spelling", "digest", "days"),
    [
        ("{root}/sub/x.png", "another", 5),
        ("file://{root}/sub/x.png", None, 50),
        ("//{root}//sub/x.png", "same", 5),
        ("{root}/other/../sub/x.png", "same", 50),
        ("{root}/linked/x.png", "same", 5),
        ("{root}/sub/x.png", "same", 50),
    ],
)
def test_a_picture_that_may_not_go_yet_keeps_its_file(
    plant: Engine,
    picture: Callable[..., str],
    tmp_path: Path,
    spelling: str,
    digest: str | None,
    days: float,
) -> None:
    """It is young, or of a product that keeps its pictures for longer."""
    path, root = Path(picture("sub/x.png", days=90)), tmp_path / "roots"
    (root / "other").mkdir()
    (root / "linked").symlink_to("sub")
    spec = {"product": "plug", "classes": CLASSES, "retention": {"pictures": 80}}
    committed(plant, products.register, parse_product(spec, "t"))
    product = "cable" if days < 30 else "plug"
    uri = spelling.format(root=root)
    commit(plant, days, image_uri=uri, image_sha256=digest, product=product)
    commit(plant, 60, image_uri=str(path), image_sha256="same")
    limits = {"retention_delete_files": True, "image_roots": (root,)}
    assert purge(plant, **limits, retention_pictures_days=30) == {}
    assert path.exists()


def test_a_label_given_during_a_purge_is_seen(
    plant: Engine, picture: Callable[..., str], tmp_path: Path
) -> None:
    uris = [picture(f"sub/{n}.png") for n in range(4)]
    for n, uri in enumerate(uris):
        commit(plant, 60 - n, image_uri=uri)
    other = commit(plant, 60, image_uri=f"file://{uris[3]}", product="plug")
    limits = {"retention_pictures_days": 30, "image_roots": (tmp_path / "roots",)}
    settings = Settings(retention_batch=2, retention_delete_files=True, **limits)
    purging = Purge(plant, settings, by="ann", now=NOW)
    (limit,) = (one for one in purging._limits if (one.kind, one.product) == ("pictures", "cable"))
    batches = purging._batches(limit)
    assert next(batches) == 2
    keep_by_label(plant, other)
    assert list(batches) == [1]
    assert [Path(uri).exists() for uri in uris] == [False, False, False, True]


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
    committed(engine, partitions.convert, months_ahead=1)
    months = len(partitions.existing(engine))
    done = purge(engine, retention_inspections_days=60)
    assert [kind for kind, _ in done] == ["inspections"]
    assert next(iter(done))[1].startswith("partition ")
    assert len(partitions.existing(engine)) < months
    assert existing(engine, [*old, new]) == {new}


def test_a_label_that_comes_while_its_picture_is_being_locked_wins(postgresql_url: str) -> None:
    """Between the query's snapshot and the row's lock: only a second look can see it."""
    from db.session import engine_for

    engine = engine_for(postgresql_url)
    committed(
        engine, products.register, parse_product({"product": "cable", "classes": CLASSES}, "t")
    )
    labelled, other = commit(engine, days=50), commit(engine, days=50)
    writer = create_engine(engine.url)

    @event.listens_for(engine, "after_cursor_execute")
    def label(_c: Any, _k: Any, statement: str, *_: Any) -> None:
        if "FOR UPDATE" not in statement:
            return
        with writer.begin() as connection:  # without its foreign key, which waits for the lock
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            connection.execute(
                table_of(Label).insert(),
                {
                    "inspection_id": labelled,
                    "product": "cable",
                    "recorded_at": NOW,
                    "label": "good",
                    "labelled_by": "ann",
                    "labelled_at": NOW,
                    "source": "test",
                    "note": "",
                },
            )

    try:
        count = committed(engine, queries.purge_inspections, ("cable", ["cable"]), NOW, 10)
    finally:
        event.remove(engine, "after_cursor_execute", label)
        writer.dispose()
    assert count == 1
    assert existing(engine, [labelled, other]) == {labelled}
