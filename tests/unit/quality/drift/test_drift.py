from __future__ import annotations

import json

import numpy as np
import pytest

from quality.drift.drift import (
    Baseline,
    DriftCharts,
    OpticsBaseline,
    Sample,
    Signal,
    fit_baseline,
    fit_optics,
    project,
)
from quality.drift.drift_charts import BoundedChart, MeanChart, RateChart
from quality.drift.optics import Optics

NOTHING = Baseline(parts=1, features=None, confidence=None, review=None, reject=None)
SKEW = np.random.default_rng(1).normal(size=(6, 6))


def parts(n: int, seed: int, *, shift: float = 0.0, review: float = 0.1) -> list[Sample]:
    """Heavy-tailed, correlated projections; confidences far from normal; a rate of reviews."""
    rng = np.random.default_rng(seed)
    projections = rng.standard_t(5, size=(n, 6)) @ SKEW + shift * SKEW.sum(axis=0)
    confidence = rng.beta(8, 1 + shift, size=n)
    reviewed = rng.random(n) < review
    return [
        Sample(p, float(c), bool(r), rejected=False)
        for p, c, r in zip(projections, confidence, reviewed, strict=True)
    ]


@pytest.fixture(scope="module")
def baseline() -> Baseline:
    return fit_baseline(parts(500, 0))


def pictures(n: int, seed: int, *, light: float = 0.0, focus: float = 0.0) -> list[Sample]:
    """Light and focus of a line; `light` and `focus` are in stops beside what is usual."""
    rng = np.random.default_rng(seed)
    return [
        Sample(None, None, None, rejected=False, optics=Optics(7 + a + light, b - 2 + focus))
        for a, b in zip(rng.normal(0, 0.05, n), 0.05 * rng.standard_t(5, n), strict=True)
    ]


@pytest.fixture(scope="module")
def optics() -> OpticsBaseline:
    found = fit_optics(pictures(500, 0))
    assert found is not None
    return found


def alarms(optics: OpticsBaseline, samples: list[Sample]) -> list[tuple[int, Signal]]:
    charts = DriftCharts(NOTHING, optics)
    return [(n, s) for n, sample in enumerate(samples, 1) for s in sorted(charts.note(sample))]


def first_alarm(baseline: Baseline, samples: list[Sample]) -> tuple[int | None, set[Signal]]:
    charts = DriftCharts(baseline)
    for number, sample in enumerate(samples, start=1):
        if begun := charts.note(sample):
            return number, begun
    return None, set()


def test_ten_thousand_undrifted_parts_raise_no_alarm(baseline: Baseline) -> None:
    assert first_alarm(baseline, parts(10_000, 1)) == (None, set())


def test_a_short_baseline_is_allowed_for() -> None:
    """The limits know how badly 150 parts tell a mean: few of these cameras alarm."""
    alarms = [first_alarm(fit_baseline(parts(150, s)), parts(2000, 100 + s))[0] for s in range(5)]
    assert sum(alarm is not None for alarm in alarms) <= 1


def test_what_changed_is_seen_soon_and_named(baseline: Baseline) -> None:
    number, begun = first_alarm(baseline, parts(200, 2, shift=0.8))
    assert number is not None
    assert number < 60
    assert begun <= {Signal.FEATURES, Signal.CONFIDENCE}
    number, begun = first_alarm(baseline, parts(400, 3, review=0.4))
    assert begun == {Signal.REVIEW}
    assert number is not None
    assert number < 100
    broken = [Sample(None, None, None, rejected=i % 4 == 0) for i in range(200)]
    assert first_alarm(baseline, broken)[1] == {Signal.REJECT}


def test_an_alarm_ends_with_its_cause(baseline: Baseline) -> None:
    charts = DriftCharts(baseline)
    begun = [signal for sample in parts(150, 4, shift=0.8) for signal in charts.note(sample)]
    assert begun.count(Signal.FEATURES) == 1  # once, however long it lasts
    assert Signal.FEATURES in charts.alarmed
    assert charts.scores[Signal.FEATURES] > 1
    for sample in parts(300, 5):
        charts.note(sample)
    assert charts.alarmed == set()


def test_a_baseline_survives_as_json(baseline: Baseline) -> None:
    again = Baseline.model_validate_json(baseline.model_dump_json())
    one, other = DriftCharts(baseline), DriftCharts(again)
    for sample in parts(50, 6, shift=0.3):
        one.note(sample)
        other.note(sample)
    assert one.scores == other.scores


def test_a_lamp_that_loses_a_tenth_is_seen_and_not_taken_for_blur(optics: OpticsBaseline) -> None:
    ((number, signal),) = alarms(optics, pictures(100, 1, light=float(np.log2(0.9))))
    assert signal is Signal.LIGHT
    assert number < 20


def test_blur_is_seen_and_not_taken_for_light(optics: OpticsBaseline) -> None:
    ((number, signal),) = alarms(optics, pictures(100, 2, focus=-0.3))
    assert signal is Signal.FOCUS
    assert number < 20


def test_light_and_focus_that_stay_raise_no_alarm(optics: OpticsBaseline) -> None:
    assert alarms(optics, pictures(10_000, 3)) == []


def test_one_black_picture_is_no_alarm_but_a_lamp_that_is_out_is(optics: OpticsBaseline) -> None:
    black = Sample(None, None, None, rejected=False, optics=Optics(0.0, -6.6))
    assert alarms(optics, [*pictures(50, 4), black, *pictures(50, 5)]) == []
    found = alarms(optics, [black] * 10)
    assert {signal for _, signal in found} == {Signal.LIGHT, Signal.FOCUS}
    assert max(number for number, _ in found) <= 5


def test_a_black_picture_in_the_baseline_hides_nothing() -> None:
    usual = pictures(500, 0)
    usual[100] = Sample(None, None, None, rejected=False, optics=Optics(0.0, -6.6))
    found = fit_optics(usual)
    assert found is not None
    ((number, signal),) = alarms(found, pictures(100, 1, light=float(np.log2(0.9))))
    assert (number < 25, signal) == (True, Signal.LIGHT)


def test_pictures_that_were_all_the_same_still_tell_a_step() -> None:
    flat = [Sample(None, None, None, rejected=False, optics=Optics(7.0, -2.0))] * 100
    found = fit_optics(flat)
    assert found is not None
    assert alarms(found, flat) == []
    assert [s for _, s in alarms(found, pictures(20, 1, light=-0.2))][:1] == [Signal.LIGHT]


def test_light_and_focus_are_charted_only_where_they_were_measured() -> None:
    assert fit_optics(parts(100, 0)) is None
    assert fit_optics(pictures(9, 0)) is None
    charts = DriftCharts(NOTHING)
    assert not charts.watches_optics
    charts.note(pictures(1, 0)[0])
    assert charts.scores == {}


def test_charts_of_light_survive_as_json(optics: OpticsBaseline) -> None:
    again = OpticsBaseline.model_validate_json(optics.model_dump_json())
    one, other = DriftCharts(NOTHING, optics), DriftCharts(NOTHING)
    other.watch(again)
    for sample in pictures(50, 6, light=-0.1):
        one.note(sample)
        other.note(sample)
    assert one.scores == other.scores
    assert one.scores[Signal.LIGHT] > 0


def test_workers_of_0_1_0_can_read_a_baseline(baseline: Baseline) -> None:
    """They refuse one with any other field; light and focus are kept beside it."""
    kept = json.loads(baseline.model_dump_json())
    assert set(kept) == {"parts", "features", "confidence", "review", "reject"}
    assert set(kept["confidence"]) == {"mean", "whitening", "limit"}
    assert set(kept["review"]) == {"rate", "allowance", "limit"}


def test_signals_of_a_later_version_are_not_watched(
    baseline: Baseline, optics: OpticsBaseline
) -> None:
    for stored in (baseline, optics):
        later = json.loads(stored.model_dump_json()) | {"colour": {"hue": [1.0]}}
        assert type(stored).model_validate_json(json.dumps(later)) == stored


def test_signals_without_a_baseline_are_not_watched() -> None:
    bare = [Sample(None, 0.5, True, rejected=False) for _ in range(100)]
    found = fit_baseline(bare)
    assert found.features is None  # no features were kept
    assert found.review is None  # every part goes to a person: it cannot get worse
    charts = DriftCharts(found)
    assert not charts.note(Sample(np.ones(12), None, None, rejected=False))
    assert set(charts.scores) == {Signal.CONFIDENCE, Signal.REJECT}


def test_projections_are_the_same_everywhere() -> None:
    got = project(np.eye(224)[:2])
    assert got.shape == (2, 12)
    np.testing.assert_allclose(np.abs(got), 1 / np.sqrt(224))
    assert (got[0] > 0).astype(int).tolist() == [0, 0, 1, 0, 0, 1, 0, 0, 1, 1, 1, 1]


def test_charts_by_hand() -> None:
    chart = MeanChart(mean=(1.0,), whitening=((2.0,),), limit=10.0)
    state = chart.start()
    assert state.note(np.array([2.0])) == pytest.approx(1.95 / 0.05 * (0.05 * 2) ** 2 / 10)
    rate = RateChart(rate=0.1, allowance=0.2, limit=2.0).start()
    assert rate.note(happened=False) == 0
    assert rate.note(happened=True) == pytest.approx(0.4)
    assert rate.note(happened=False) == pytest.approx(0.3)
    assert [rate.note(happened=True) for _ in range(9)][-1] == 1.5


def test_a_chart_of_one_number_needs_no_arrays() -> None:
    chart = MeanChart(mean=(0.7,), whitening=((9.0,),), limit=10.0)
    arrays, numbers = chart.start(), chart.start_number()
    for value in np.random.default_rng(3).normal(0.8, 0.1, size=50).tolist():
        assert numbers.note(value) == pytest.approx(arrays.note(np.array([value])), rel=1e-12)


def test_undrifted_cameras_alarm_as_often_as_was_set() -> None:
    """Simulated by the charts' definitions: 10,000 parts of 2,000 cameras whose rate is known."""
    rng = np.random.default_rng(7)
    chart = RateChart.fitted(10_000, 100_000, false_alarm=0.1, rng=rng)
    assert chart is not None
    total, alarmed = np.zeros(2000), np.zeros(2000, bool)
    for _ in range(10_000):
        total = np.maximum(0, total + (rng.random(2000) < 0.1) - chart.allowance)
        alarmed |= total > chart.limit
    assert 0.05 < alarmed.mean() < 0.15


def test_the_chance_of_a_false_alarm_is_shared_by_the_signals() -> None:
    """All of them together alarm as often as was set, so each has a sixth of the chance."""
    samples = parts(500, 0)
    judged = [bool(sample.review) for sample in samples]
    found = fit_baseline(samples, false_alarm=0.6, seed=3).review
    limits = [
        fitted.limit
        for share in (0.6, 0.1, 0.01)
        if (fitted := a_rate_chart(sum(judged), len(judged), share)) is not None
    ]
    assert found is not None
    assert len(Signal) == 6
    nearest = int(np.argmin(np.abs(np.array(limits) - found.limit)))
    assert (0.6, 0.1, 0.01)[nearest] == 0.1


@pytest.mark.parametrize("signal", [Signal.LIGHT, Signal.FOCUS])
def test_light_and_focus_have_their_share_of_that_chance(signal: Signal) -> None:
    samples = pictures(500, 0)
    found = fit_optics(samples, false_alarm=0.6, seed=3)
    values = np.array([getattr(s.optics, signal) for s in samples])
    limits = [
        BoundedChart.fitted(values, false_alarm=share, rng=np.random.default_rng(5)).chart.limit
        for share in (0.6, 0.1, 0.01)
    ]
    assert found is not None
    own = getattr(found, signal).chart.limit
    assert (0.6, 0.1, 0.01)[int(np.argmin(np.abs(np.array(limits) - own)))] == 0.1


def a_rate_chart(happened: int, count: int, false_alarm: float) -> RateChart | None:
    rng = np.random.default_rng(5)
    return RateChart.fitted(happened, count, false_alarm=false_alarm, rng=rng)
