"""Committed verdicts in, drift alarms out, on both databases."""

from __future__ import annotations

import logging
from dataclasses import replace
from uuid import uuid4

import numpy as np
import pytest
from sqlalchemy import Engine

from db import alerts, audit
from db.inspections.records import InspectionRecord, StoredFeatures
from db.models import drift
from linewatch.settings import Settings
from producer.contract import Reason, Verdict
from quality.drift.drift import Baseline, Signal, fit_baseline, fit_optics, project
from quality.drift.optics import Optics
from tests.support.committed import committed
from tests.support.records import a_record
from workers.health import drift_watch
from workers.health.drift_watch import DriftWatch, samples_of
from workers.wiring import _drift_watch

CAMERA = drift.Camera("cable", "L1", "C1", "cable-1")

A_BASELINE = Baseline(
    parts=150, features=None, confidence=None, review=None, reject=None
).model_dump_json()


def records(n: int, seed: int, *, shift: float = 0.0, **fields: object) -> list[InspectionRecord]:
    rng = np.random.default_rng(seed)
    vectors = (rng.normal(size=(n, 64)) + shift).astype("<f2")
    return [
        a_record(
            id=uuid4(),
            confidence=float(rng.beta(8, 2)),
            features=StoredFeatures("f1", vector.tobytes()),
            **fields,
        )
        for vector in vectors
    ]


def pictures(n: int, seed: int, *, light: float = 0.0) -> list[InspectionRecord]:
    """Records whose pictures were measured; `light` is in stops beside what is usual."""
    rng = np.random.default_rng(seed)
    return [
        replace(record, optics=Optics(7 + light + 0.05 * a, 0.05 * b - 2))
        for record, (a, b) in zip(records(n, seed), rng.normal(size=(n, 2)), strict=True)
    ]


def a_watch(engine: Engine, parts: int = 150) -> DriftWatch:
    return DriftWatch(engine, baseline_parts=parts, false_alarm=0.1, period_s=0.05)


def standing(engine: Engine) -> list[tuple[str | None, str | None]]:
    return [(a.product, a.line) for a in alerts.open_alerts(engine) if a.kind == "drift"]


def forget(engine: Engine, line: str, *, product: str | None = None) -> int:
    return committed(engine, drift.forget, line, product=product, by="ann", why="a new lamp")


def feed(watch: DriftWatch, batch: list[InspectionRecord]) -> None:
    watch.note(batch)
    watch.check()


def test_drift_is_told_once_and_ends(engine: Engine) -> None:
    watch = a_watch(engine)
    feed(watch, records(150, 0))
    assert drift.baseline(engine, CAMERA) is not None
    feed(watch, records(100, 1))
    assert standing(engine) == []
    feed(watch, records(100, 2, shift=0.8))
    assert standing(engine) == [("cable", "L1")]
    (alert,) = [a for a in alerts.open_alerts(engine) if a.kind == "drift"]
    assert "L1/C1, cable: drift, its pictures look different" in alert.message
    feed(watch, records(450, 3))
    assert standing(engine) == []


def test_a_worker_that_starts_later_compares_with_the_same_parts(engine: Engine) -> None:
    feed(a_watch(engine), records(150, 0))
    kept = drift.baseline(engine, CAMERA)
    later = a_watch(engine)
    feed(later, records(100, 2, shift=0.8))
    assert standing(engine) == [("cable", "L1")]
    assert drift.baseline(engine, CAMERA) == kept
    after = a_watch(engine)
    after.start()  # knows the standing alarm from the database
    after.stop()
    feed(after, records(250, 3))
    assert standing(engine) == []


def test_another_worker_ends_the_alarm_of_one_that_died(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drift_watch, "LOOK_UP_S", 0.0)
    feed(a_watch(engine), records(150, 0))
    other = a_watch(engine)
    other.start()  # before there is any alarm
    other.stop()
    feed(a_watch(engine), records(100, 2, shift=0.8))
    assert standing(engine) == [("cable", "L1")]
    feed(other, records(250, 3))
    assert standing(engine) == []


def test_a_line_that_was_changed_on_purpose_starts_anew(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For all workers: the one that raised the alarm, and one that watches beside it."""
    monkeypatch.setattr(drift_watch, "LOOK_UP_S", 0.0)
    watches = [a_watch(engine), a_watch(engine)]
    feed(watches[0], records(150, 0))
    for watch in watches:
        feed(watch, records(100, 2, shift=0.8))
    assert forget(engine, "L2") == 0
    assert forget(engine, "L1", product="another") == 0
    assert standing(engine) == [("cable", "L1")]
    assert forget(engine, "L1", product="cable") == 1
    assert standing(engine) == []
    for watch in watches:
        feed(watch, records(150, 3, shift=0.8))
        feed(watch, records(100, 4, shift=0.8))
    assert standing(engine) == []
    feed(watches[1], records(100, 5, shift=0.0))  # the old light is what drifts now
    assert standing(engine) == [("cable", "L1")]
    assert audit.newest(engine, 1)[0].action == "line.rebaseline"


def test_a_lamp_is_told_though_the_features_take_no_notice(engine: Engine) -> None:
    watch = a_watch(engine)
    feed(watch, pictures(150, 0))
    feed(watch, pictures(100, 1))
    assert standing(engine) == []
    feed(watch, pictures(30, 2, light=-0.15))
    (alert,) = [a for a in alerts.open_alerts(engine) if a.kind == "drift"]
    assert "L1/C1, cable: drift, its pictures are darker or brighter than in" in alert.message
    assert set(watch.scores()) >= {(CAMERA, Signal.LIGHT), (CAMERA, Signal.FOCUS)}
    later = a_watch(engine)
    feed(later, pictures(30, 3, light=-0.15))
    assert later.scores()[CAMERA, Signal.LIGHT] > 1  # by what the first one kept


def test_a_baseline_of_0_1_0_stays_and_gets_charts_of_light(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    before = fit_baseline(samples_of(records(150, 0))).model_dump_json()
    committed(engine, drift.keep, CAMERA, drift.Kept(before, None), fingerprint="f1")
    watch = a_watch(engine)
    feed(watch, pictures(149, 1))
    assert "no light and focus in its baseline; its next 150 parts are theirs" in caplog.text
    kept = drift.baseline(engine, CAMERA)
    assert kept is not None
    assert kept[:2] == (before, None)
    assert (CAMERA, Signal.FEATURES) in watch.scores()  # watched all the while
    assert (CAMERA, Signal.LIGHT) not in watch.scores()
    feed(watch, [*records(5, 2), *pictures(1, 3)])  # the five were not measured
    kept = drift.baseline(engine, CAMERA)
    assert kept is not None
    assert kept.baseline == before
    assert kept.optics is not None
    assert '"parts":150' in kept.optics
    feed(watch, pictures(30, 4, light=-0.15))
    assert standing(engine) == [("cable", "L1")]


def test_a_worker_of_0_1_0_that_was_sooner_leaves_the_charts_of_light_to_this_one(
    engine: Engine,
) -> None:
    watch = a_watch(engine)
    feed(watch, pictures(149, 0))
    committed(engine, drift.keep, CAMERA, drift.Kept(A_BASELINE, None), fingerprint="f1")
    feed(watch, pictures(1, 1))
    kept = drift.baseline(engine, CAMERA)
    assert kept is not None
    assert kept.baseline == A_BASELINE
    assert kept.optics is not None
    assert {signal for _, signal in watch.scores()} >= {Signal.LIGHT, Signal.FOCUS}
    later = drift.Kept("{}", "{}")
    assert committed(engine, drift.keep, CAMERA, later, fingerprint="f1") == kept


def test_the_first_charts_of_light_hold_for_all_workers(engine: Engine) -> None:
    before = fit_baseline(samples_of(records(150, 0))).model_dump_json()
    committed(engine, drift.keep, CAMERA, drift.Kept(before, None), fingerprint="f1")
    first, second = a_watch(engine), a_watch(engine)
    feed(second, pictures(149, 5, light=-1))
    feed(first, pictures(150, 1))
    kept = drift.baseline(engine, CAMERA)
    feed(second, pictures(20, 6))
    assert drift.baseline(engine, CAMERA) == kept
    assert second.scores()[CAMERA, Signal.LIGHT] < 1
    assert forget(engine, "L1") == 1
    assert committed(engine, drift.keep_optics, CAMERA, "{}") is None


def test_every_camera_and_model_has_its_own(engine: Engine) -> None:
    watch = a_watch(engine)
    feed(watch, records(150, 0) + records(150, 1, shift=0.8, camera="C2"))
    feed(watch, records(100, 2, shift=0.8, camera="C2"))
    assert standing(engine) == []
    feed(watch, records(100, 3, shift=0.8, model_version="cable-2"))  # begins anew
    assert standing(engine) == []
    assert {camera.camera for camera, _ in watch.scores()} == {"C2"}
    assert all(score < 1 for score in watch.scores().values())
    assert forget(engine, "L1") == 2


def test_invented_cameras_do_not_grow_the_watch(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drift_watch, "_MOST_CAMERAS", 3)
    watch = a_watch(engine)
    feed(watch, records(1, 0, model_version="cable-0"))
    for number in range(10):
        feed(watch, records(1, number, camera=f"C{number}"))
    feed(watch, records(1, 0))  # the first camera, under a newer model
    assert {camera.camera for camera in watch._cameras} == {"C1", "C8", "C9"}
    assert set(watch._latest.values()) == set(watch._cameras)


def test_a_kept_sample_keeps_no_others() -> None:
    first, _ = samples_of(records(2, 0))
    assert first.projections is not None
    assert first.projections.base is None


def test_rejected_pictures_count_though_no_model_saw_them(engine: Engine) -> None:
    watch = a_watch(engine)
    nothing = {"model_version": None, "confidence": None, "probabilities": None}
    broken = [
        a_record(id=uuid4(), verdict=Verdict.REJECTED, reason=Reason.CORRUPT, **nothing)
        for _ in range(60)
    ]
    feed(watch, broken)  # before any model: nothing to compare with
    feed(watch, records(150, 0))
    for number, record in enumerate(broken):
        feed(watch, [record, *records(2, 5 + number)])
    (alert,) = [a for a in alerts.open_alerts(engine) if a.kind == "drift"]
    assert "more pictures cannot be judged" in alert.message


@pytest.mark.parametrize("vector", [b"", b"odd", np.full(64, np.nan, "<f2").tobytes()])
def test_features_that_cannot_be_read_are_left_out(vector: bytes) -> None:
    whole = StoredFeatures("f1", np.ones(64, "<f2").tobytes())
    records = [
        a_record(features=features) for features in (whole, StoredFeatures("f1", vector), None)
    ]
    first, *others = samples_of(records)
    assert first.projections is not None
    assert np.allclose(first.projections, project(np.ones((1, 64)))[0])
    assert others == [(None, 0.75, False, False, None)] * 2


@pytest.mark.parametrize("share", [0.01, 0.1])
def test_a_workers_charts_have_the_chance_that_the_settings_say(
    sqlite_url: str, share: float
) -> None:
    from db.session import engine_for

    engine = engine_for(sqlite_url)
    settings = Settings(drift_baseline_parts=150, drift_false_alarm=share)
    watch = _drift_watch(engine, settings)
    assert watch is not None
    batch = pictures(150, 1)
    feed(watch, batch)
    samples = samples_of(batch)
    optics = fit_optics(samples, false_alarm=share)
    assert optics is not None
    kept = drift.baseline(engine, CAMERA)
    assert kept is not None
    assert kept[:2] == (
        fit_baseline(samples, false_alarm=share).model_dump_json(),
        optics.model_dump_json(),
    )
