from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_store.verdicts.risk import (
    operating_point,
    ranked,
    review_below_for_escapes,
    review_below_for_share,
    risk_coverage,
)

# class 0 is good; in order of confidence: right, escape, overkill, right, escape
SHARES = np.array([[0.95, 0.05], [0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.6, 0.4]])
ACTUAL = np.array([0, 1, 0, 1, 1])


def test_points_by_hand() -> None:
    parts = ranked(SHARES, ACTUAL, good=0)
    every = operating_point(parts, 0.0)
    assert (every.review_share, every.escape_rate, every.overkill_rate) == (0, 2 / 3, 1 / 2)
    assert every.error_rate == 3 / 5
    some = operating_point(parts, 0.7)  # the part at 0.7 is judged, that at 0.6 is not
    assert some.review_share == pytest.approx(0.2)
    assert some.escape_rate == pytest.approx(1 / 3)


def test_thresholds_by_hand() -> None:
    parts = ranked(SHARES, ACTUAL, good=0)
    assert review_below_for_escapes(parts, 0.7) == 0
    assert 0.6 < review_below_for_escapes(parts, 0.4) < 0.61
    assert 0.9 < review_below_for_escapes(parts, 0.0) < 0.91
    assert review_below_for_share(parts, 0.19) == 0
    assert review_below_for_share(parts, 0.2) == 0.7
    assert review_below_for_share(parts, 1.0) == 0.95


def test_without_a_good_class_every_error_is_an_escape() -> None:
    point = operating_point(ranked(SHARES, ACTUAL, good=None), 0.0)
    assert (point.escape_rate, point.overkill_rate) == (3 / 5, 0)


@given(st.integers(0, 2**32), st.floats(0, 1), st.integers(5, 60))
def test_targets_are_kept_and_nothing_is_given_away(seed: int, target: float, n: int) -> None:
    rng = np.random.default_rng(seed)
    shares = np.round(rng.dirichlet([0.5] * 3, size=n), 2)  # with ties
    shares[:, 2] = 1 - shares[:, 0] - shares[:, 1]
    parts = ranked(shares, rng.integers(0, 3, size=n), good=0)
    safe = review_below_for_escapes(parts, target)
    surest = operating_point(parts, 1.0).escape_rate  # a part of probability 1 is never reviewed
    assert operating_point(parts, safe).escape_rate <= max(target, surest) + 1e-12
    lower = parts.confidence[parts.confidence < safe]
    if lower.size and safe < 1:  # one part more, and it would not be safe
        assert operating_point(parts, float(lower.max())).escape_rate > target
    share = review_below_for_share(parts, target)
    assert operating_point(parts, share).review_share <= target + 1e-12


def test_the_curve_falls_from_no_review_to_nearly_all() -> None:
    rng = np.random.default_rng(1)
    shares = rng.dirichlet([0.4] * 4, size=500)
    curve = risk_coverage(ranked(shares, rng.integers(0, 4, size=500), good=1))
    assert len(curve) == 21
    assert curve[0].review_share == 0
    assert curve[-1].review_share > 0.99
    assert all(a.review_share <= b.review_share for a, b in pairwise(curve))
    assert all(a.escape_rate >= b.escape_rate for a, b in pairwise(curve))
