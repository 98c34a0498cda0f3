from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quality.intervals.wilson import wilson_interval


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [
        # R. G. Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_against_published_values(hits: int, trials: int, low: float, high: float) -> None:
    assert wilson_interval(hits, trials) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_it_holds_the_rate_and_stays_a_share(pair: tuple[int, int]) -> None:
    hits, trials = pair
    interval = wilson_interval(hits, trials)
    assert interval is not None
    assert 0 <= interval[0] <= hits / trials <= interval[1] <= 1


def test_no_trials_say_nothing() -> None:
    assert wilson_interval(0, 0) is None


def test_more_hits_than_trials_are_refused() -> None:
    with pytest.raises(ValueError, match="no proportion"):
        wilson_interval(3, 2)
