"""The figures that the gate compares, against libraries that compute the same."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import f1_score

from linewatch.errors import ModelError
from model_store.gate.figures import compare
from model_store.gate.paired import macro_f1, mcnemar
from tests.support.opinions import (
    ACTUAL,
    opinion,
    wrong,
)


@settings(deadline=None)
@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_is_the_exact_binomial_test(b: int, c: int) -> None:
    expected = binomtest(b, b + c, 0.5).pvalue if b + c else 1.0
    assert mcnemar(b, c) == pytest.approx(expected, rel=1e-9)


def test_mcnemar_of_a_hundred_thousand_pictures_takes_no_time() -> None:
    began = time.thread_time()
    assert mcnemar(29_800, 30_200) == pytest.approx(binomtest(29_800, 60_000).pvalue, rel=1e-6)
    assert mcnemar(0, 60_000) == 0
    assert time.thread_time() - began < 1


def test_macro_f1_is_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    truth, said = rng.integers(0, 4, 200), rng.integers(0, 5, 200)
    expected = f1_score(truth, said, labels=[0, 1, 2, 3], average="macro")
    assert macro_f1(truth, said, 5) == pytest.approx(expected)


def test_the_figures_count_what_they_say() -> None:
    old, new = opinion(wrong(2, "good", start=20)), opinion(wrong(1, "bent", start=0), review=6)
    found = compare(ACTUAL, old, new, good_class="good")
    assert (found.pictures, found.only_champion, found.only_challenger) == (60, 1, 2)
    assert found.champion["escapes"] == 2
    assert found.champion["overkill"] == 0
    assert found.challenger["escapes"] == 0
    assert found.challenger["overkill"] == 1
    assert found.challenger["review_rate"] == pytest.approx(0.1)
    assert found.macro_f1_interval[0] <= found.macro_f1_difference <= found.macro_f1_interval[1]
    again = compare(ACTUAL, old, new, good_class="good")
    assert again == found  # the bootstrap draws the same


def test_the_interval_covers_no_difference_where_there_is_none() -> None:
    rng = np.random.default_rng(1)
    actual = rng.choice(["good", "bent", "cut"], 150).tolist()
    covered = 0
    for _ in range(40):
        both = [
            opinion([n if rng.random() < 0.7 else str(rng.choice(["good", "bent", "cut"]))
                     for n in actual])
            for _ in range(2)
        ]  # fmt: skip
        low, high = compare(actual, *both, good_class="good").macro_f1_interval
        covered += low <= 0 <= high
    assert 34 <= covered <= 40  # 95 % of 40 is 38


def test_opinions_must_be_about_the_same_pictures() -> None:
    with pytest.raises(ModelError, match="cannot be compared"):
        compare(ACTUAL, opinion(ACTUAL), opinion(["good"]), good_class="good")
    with pytest.raises(ModelError, match="0 pictures"):
        compare([], opinion([]), opinion([]), good_class=None)
