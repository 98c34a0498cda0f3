"""Which models a worker serves when some cannot be loaded, and who closes the alerts about it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from db import alerts, products
from db.base import table_of
from db.models import deployments
from db.session import engine_for, transaction
from db.tables import Alert
from linewatch.products import parse_product
from linewatch.settings import Settings
from model_store.store import ModelStore
from tests.support.bench import OTHER, PRINT, Bench
from tests.support.committed import committed
from tests.support.spaces import bare_spaces
from tests.support.waiting import until
from workers.serving.residency import Residency


@pytest.fixture
def bench(settings: Settings) -> Bench:
    made = Bench(engine_for(settings.sql_url), settings)
    for code in ("good", "bent", "cut"):
        made.pictures(code, 6)
    return made


def residency(
    bench: Bench, worker: str = "a@x", *, fingerprint: str = PRINT, url: str | None = None
) -> Residency:
    return Residency(
        bench.engine,
        bench.store if url is None else ModelStore(url),
        spaces=bare_spaces(bench.engine, fingerprint),
        poll_s=0.01,
        worker=worker,
    )


def refused(engine: Engine) -> list[tuple[str | None, str | None]]:
    found = alerts.open_alerts(engine)
    return [(a.source, a.product) for a in found if a.kind == "model_refused"]


def retried(found: Residency, product: str = "cable") -> None:
    """Look until the pause after a failure is over."""

    def serves() -> bool:
        found.refresh()
        return found.model(product) is not None

    until(serves, 15)


def folder(bench: Bench, version: str) -> Path:
    return Path(bench.settings.models_url) / "cable" / version


def missing(at: Path) -> None:
    shutil.rmtree(at)


def not_json(at: Path) -> None:
    (at / "manifest.json").write_text("{")


def other_version(at: Path) -> None:
    told = json.loads((at / "manifest.json").read_text())
    (at / "manifest.json").write_text(json.dumps(told | {"version": "x"}))


def cut(at: Path) -> None:
    (at / "head.safetensors").write_bytes(b"")


def unreadable(at: Path) -> None:  # rights mean nothing to root; a folder cannot be read by anyone
    (at / "head.safetensors").unlink()
    (at / "head.safetensors").mkdir()


@pytest.mark.parametrize("spoil", [missing, not_json, other_version, cut, unreadable])
def test_a_champion_that_cannot_be_loaded_is_left_to_others(
    bench: Bench, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    version = bench.champion()
    at, kept = folder(bench, version), tmp_path / "kept"
    shutil.copytree(at, kept)
    spoil(at)
    found = residency(bench)
    found.start()
    try:
        assert set(found.unserved) == {"cable"}
        assert "cable: " in (found.idle_reason or "")
        until(lambda: refused(bench.engine) == [("a@x", "cable")])
        shutil.rmtree(at, ignore_errors=True)
        shutil.copytree(kept, at)
        until(lambda: found.versions == {"cable": version}, 15)
        assert (found.unserved, found.idle_reason) == ({}, None)
        until(lambda: refused(bench.engine) == [])
    finally:
        found.stop()


def test_other_features_are_left_to_others_too(bench: Bench) -> None:
    bench.champion()
    found = residency(bench, fingerprint=OTHER)
    found.refresh()
    assert "start it with the encoders" in found.unserved["cable"]
    assert refused(bench.engine) == [("a@x", "cable")]


def test_a_driver_that_raises_what_it_likes(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    version = bench.champion()
    found = residency(bench)
    with monkeypatch.context() as patch:

        def away(*_: object, **__: object) -> None:
            raise RuntimeError("the bucket does not answer")

        patch.setattr(bench.store, "load", away)
        found.refresh()
        assert "does not answer" in found.unserved["cable"]
    retried(found)
    assert found.versions == {"cable": version}
    assert refused(bench.engine) == []


def test_an_old_model_stays_when_the_new_one_cannot_be_loaded(bench: Bench) -> None:
    old = bench.champion()
    found = residency(bench)
    found.refresh()
    new = bench.train().manifest.version
    shutil.rmtree(folder(bench, new))
    committed(bench.engine, deployments.promote, "cable", new, by="ann", why="test")
    for _ in range(3):
        found.refresh()
    assert found.versions == {"cable": old}
    assert (found.unserved, found.idle_reason) == ({}, None)
    (alert,) = alerts.open_alerts(bench.engine)
    assert new in alert.message
    assert f"{old} goes on serving" in alert.message
    committed(bench.engine, deployments.rollback, "cable", by="ann", why="test")
    found.refresh()
    assert refused(bench.engine) == []


def test_one_broken_product_and_one_without_a_model(bench: Bench) -> None:
    shutil.rmtree(folder(bench, bench.champion()))
    found = residency(bench)
    found.refresh()
    assert found.idle_reason is not None
    classes = [{"code": "good", "good": True}, {"code": "scratch"}]
    gear = parse_product({"product": "gear", "classes": classes}, source="tests")
    committed(bench.engine, products.register, gear)
    found.refresh()
    assert set(found.unserved) == {"cable"}
    assert found.idle_reason is None  # a gear has no champion: a person looks at each
    committed(bench.engine, deployments.retire, "cable", by="ann", why="test")
    found.refresh()
    assert found.unserved == {}
    assert refused(bench.engine) == []


def test_before_the_first_look_nothing_is_taken(bench: Bench) -> None:
    assert residency(bench).idle_reason == "its models are not loaded yet"


def test_each_worker_closes_its_own_alert(bench: Bench, tmp_path: Path) -> None:
    bench.champion()
    elsewhere = str(tmp_path / "elsewhere")
    residency(bench, "a@x", url=elsewhere).refresh()
    residency(bench, "b@x", url=elsewhere).refresh()
    assert {source for source, _ in refused(bench.engine)} == {"a@x", "b@x"}
    residency(bench, "c@x").refresh()  # can load it, and says nothing of the others
    assert {source for source, _ in refused(bench.engine)} == {"a@x", "b@x"}
    residency(bench, "a@x").refresh()  # started anew, with the right store
    assert refused(bench.engine) == [("b@x", "cable")]


def test_the_alert_of_a_worker_that_is_no_more_ends(bench: Bench, tmp_path: Path) -> None:
    bench.champion()
    residency(bench, "b@x", url=str(tmp_path / "elsewhere")).refresh()
    old = committed(  # of a version that named no worker
        bench.engine,
        alerts.raise_alert,
        kind="model_refused",
        severity="critical",
        product="cable",
        message="m",
    )
    committed(
        bench.engine, alerts.raise_alert, kind="takt", severity="warning", line="L1", message="late"
    )
    residency(bench, "c@x").refresh()
    assert {("b@x", "cable"), (None, "cable")} == set(refused(bench.engine))
    ago = datetime.now(UTC) - timedelta(minutes=6)
    c = table_of(Alert).c
    with transaction(bench.engine) as connection:
        connection.execute(update(table_of(Alert)).values(seen_at=ago, raised_at=ago))
        connection.execute(update(table_of(Alert)).where(c.id == old).values(seen_at=None))
    residency(bench, "c@x").refresh()
    assert [alert.kind for alert in alerts.open_alerts(bench.engine)] == ["takt"]
