from __future__ import annotations

import numpy as np
import pytest

from quality.drift.drift import Baseline, DriftCharts, Sample, Signal, fit_baseline, project
from quality.drift.drift_charts import MeanChart, RateChart

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
    """All of them together alarm as often as was set, so each has a quarter of the chance."""
    samples = parts(500, 0)
    judged = [bool(sample.review) for sample in samples]
    found = fit_baseline(samples, false_alarm=0.4, seed=3).review
    limits = [
        fitted.limit
        for share in (0.4, 0.1, 0.01)
        if (fitted := a_rate_chart(sum(judged), len(judged), share)) is not None
    ]
    assert found is not None
    assert len(Signal) == 4
    nearest = int(np.argmin(np.abs(np.array(limits) - found.limit)))
    assert (0.4, 0.1, 0.01)[nearest] == 0.1


def a_rate_chart(happened: int, count: int, false_alarm: float) -> RateChart | None:
    rng = np.random.default_rng(5)
    return RateChart.fitted(happened, count, false_alarm=false_alarm, rng=rng)
