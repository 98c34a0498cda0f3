"""Escapes at the same overkill: what the figures count, and how often the interval holds."""

from __future__ import annotations

import tracemalloc
from statistics import NormalDist

import numpy as np
import pytest

from model_store.gate.equal_overkill import EqualOverkill, equal_overkill, good_border


def parts(good: int, defects: int, apart: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores of good and defective parts, a normal distribution each, `apart` deviations apart."""
    rng = np.random.default_rng(seed)
    bad = np.arange(good + defects) >= good
    return rng.normal(size=good + defects) - apart * bad, bad


def compared(old: np.ndarray, new: np.ndarray, bad: np.ndarray, target: float) -> EqualOverkill:
    found = equal_overkill(old, new, bad, target=target)
    assert found is not None
    return found


def test_the_figures_count_what_they_say() -> None:
    """100 good parts score 1 to 100, and ten defects: those above a border pass it."""
    bad = np.arange(110) >= 100
    good = np.arange(1.0, 101.0)
    old = np.concatenate([good, [95, 85, 75, 65, 55, 45, 35, 25, 15, 5]])
    new = np.concatenate([good, [9, 8, 7, 6, 5, 4, 3, 2, 1.5, 0]])
    found = compared(old, new, bad, target=0.2)
    assert (found.defects, found.good, found.target) == (10, 100, 0.2)
    assert found.champion_passes == pytest.approx(0.25)  # good above 75, the third of the defects
    assert found.challenger_passes == pytest.approx(0.93)  # above 7
    assert found.overkill == pytest.approx((0.75 + 0.07) / 2)
    # Borders near the good parts' 21st, 41st and 62nd: 8, 6 and 4 defects lie above.
    assert found.champion == pytest.approx((8 + 6 + 4) / 30)
    assert found.challenger == 0
    assert found.difference == pytest.approx(-0.6)
    assert found.low < -0.6 < found.high < 0


def test_scales_and_thresholds_of_models_make_no_difference() -> None:
    """A champion that stops half of the good parts has few escapes, and no merit by that."""
    one, bad = parts(200, 150, 2, 0)
    other, _ = parts(200, 150, 2, 1)
    plain = compared(one, other, bad, 0.05)
    assert compared(one, 7 * other - 30, bad, 0.05) == plain
    assert compared(one, np.exp(other), bad, 0.05) == plain
    swapped = compared(other, one, bad, 0.05)
    assert swapped.difference == pytest.approx(-plain.difference)
    assert swapped.low == pytest.approx(-plain.high)


def test_where_the_target_asks_for_nearly_all_or_none_they_are_compared_all_the_same() -> None:
    hopeless, bad = parts(200, 150, 0, 0)
    assert compared(hopeless, hopeless, bad, 0.01).overkill == 0.5
    perfect = np.where(bad, -9.0, 9.0) + np.linspace(0, 1, 350)
    assert compared(perfect, perfect, bad, 0.01).overkill == 0.02
    assert compared(perfect, hopeless, bad, 0.01).low > 0.1


def test_agreement_on_few_defects_proves_little() -> None:
    """Two more defects stand in the interval: 0 of 100 differ, and 2.7 % of all may."""
    for count, high in ((100, 0.0272), (150, 0.0182)):
        bad = np.arange(200 + count) >= 200
        same = np.where(bad, -9.0, 9.0) + np.linspace(0, 1, len(bad))
        found = compared(same, same, bad, 0.01)
        assert (found.difference, found.high) == (0, pytest.approx(high, abs=1e-4))
        assert found.low == -found.high
        assert found.error * 1.96 == pytest.approx(found.high, rel=1e-3)
    assert found.enough(0.0272, 0.975) == 150
    assert found.enough(0.018, 0.975) == 152  # 2.772 / 0.018 - 2
    assert found.enough(0.018, 0.99) == 181  # 3.290 / 0.018 - 2, and 2.326 of them for 1.960
    assert found.enough(0.0, 0.99) is None


def test_a_bound_of_one_side_is_as_sure_as_it_is_asked_for() -> None:
    one, bad = parts(200, 150, 2, 0)
    other, _ = parts(200, 150, 2, 1)
    found = compared(one, other, bad, 0.05)
    assert found.at_most(0.975) == pytest.approx(found.high)
    assert found.at_most(0.5) == pytest.approx(found.difference)
    assert found.at_most(0.99) == pytest.approx(found.difference + 2.326348 * found.error)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    """The second model's score is half the first's and noise: its truth is a normal's too."""
    first, second = NormalDist(), NormalDist(0, 1.25**0.5)

    def passed(score: NormalDist, apart: float, level: float) -> float:
        return 1 - score.cdf(score.inv_cdf(level) + apart)

    held = above = 0
    for seed in range(60):
        one, bad = parts(150, 120, 2, seed)
        other, _ = parts(150, 120, 1.6, 1000 + seed)
        found = compared(one, 0.5 * one + other, bad, 0.05)
        levels = found.overkill * np.array([0.5, 1, 1.5])
        truth = np.mean([passed(second, 2.6, at) - passed(first, 2, at) for at in levels])
        held += found.low <= truth <= found.high
        above += truth > found.high
    assert 53 <= held <= 60  # 95 % of 60 is 57
    assert above <= 5


def test_good_parts_or_defects_alone_compare_nothing() -> None:
    scores = np.arange(5.0)
    for flag in (True, False):
        assert equal_overkill(scores, scores, np.full(5, flag), target=0.01) is None


def test_what_may_not_pass_at_any_threshold_does_not() -> None:
    """Ties at the lowest score: half of the good parts are novel to a model, and so stopped."""
    bad = np.arange(40) >= 20
    scores = np.where(np.arange(40) % 2, -1000.0, 5.0)
    assert good_border(scores[~bad], 0.2) == -1000
    found = compared(scores, scores, bad, 0.01)
    assert found.champion == pytest.approx(0.5 / 3)  # at half the overkill only


def test_a_hundred_thousand_parts_take_little_memory() -> None:
    rng = np.random.default_rng(0)
    bad = rng.random(100_000) < 0.2
    scores = rng.normal(size=100_000) - 3 * bad
    tracemalloc.start()
    try:
        assert equal_overkill(scores, scores, bad, target=0.01) is not None
        assert tracemalloc.get_traced_memory()[1] < 100e6
    finally:
        tracemalloc.stop()
