from __future__ import annotations

from math import comb
from statistics import NormalDist

import numpy as np
import pytest

from linewatch.errors import ModelError
from model_store.promise.bounds import allowed_escapes, needed, tail, upper_bound
from model_store.promise.class_errors import choose_sure
from model_store.promise.pass_score import BEYOND_ALL, NEVER, log_odds
from model_store.promise.promise import choose_threshold
from model_store.promise.scored_parts import log_odds_of

ASKED = {"target": 0.01, "confidence": 0.95}


def test_how_many_defects_a_promise_takes() -> None:
    assert needed(0.01, 0.95) == 299
    assert needed(0.5, 0.5) == 1
    assert [allowed_escapes(n, 0.01, 0.95) for n in (0, 298, 299, 472, 473)] == [
        None,
        None,
        0,
        0,
        1,
    ]
    assert upper_bound(0, 20, 0.95) == pytest.approx(1 - 0.05 ** (1 / 20))  # 14 %
    assert upper_bound(0, 0, 0.95) == upper_bound(3, 3, 0.95) == 1
    assert tail(2, 30, upper_bound(2, 30, 0.9)) == pytest.approx(0.1)


def test_the_tail_is_the_binomials() -> None:
    by_hand = sum(comb(12, k) * 0.2**k * 0.8 ** (12 - k) for k in range(4))
    assert tail(3, 12, 0.2) == pytest.approx(by_hand)
    assert tail(12, 12, 0.2) == 1


def test_with_few_defects_none_passes_and_the_bound_says_so() -> None:
    score = [5.0, 4, 3, 2, 1, 0, -1]
    defect = [False, False, False, True, False, True, True]
    found = choose_threshold(score, defect, None, **ASKED)
    assert (found.threshold, found.proven, found.escapes, found.counted) == (2.5, False, 0, 3)
    assert found.upper_bound == pytest.approx(1 - 0.05 ** (1 / 3))
    assert found.alone == 0.75
    assert found.needed == 299


def test_with_many_the_loosest_that_is_proven() -> None:
    rng = np.random.default_rng(5)
    score = np.concatenate([rng.normal(3, 1, 300), worst := rng.normal(0, 1, 700)])
    defect = np.arange(1000) >= 300
    found = choose_threshold(score, defect, None, **ASKED)
    assert allowed_escapes(700, 0.01, 0.95) == found.escapes == 2
    third = np.sort(worst)[-3]
    assert found.threshold == (third + score[score > third].min()) / 2
    assert found.proven
    assert found.upper_bound == pytest.approx(upper_bound(2, 700, 0.95))
    assert found.upper_bound <= 0.01
    looser = choose_threshold(score, defect, None, target=0.05, confidence=0.95)
    assert looser.threshold < found.threshold
    assert looser.alone > found.alone


def test_equal_scores_pass_together_or_not_at_all() -> None:
    found = choose_threshold([2, 1, 1, 1], [False, False, True, True], None, **ASKED)
    assert (found.threshold, found.escapes, found.alone) == (1.5, 0, 0.5)


def test_a_defect_above_all_good_parts_lets_nothing_pass() -> None:
    found = choose_threshold([9, 1, 0], [True, False, False], None, **ASKED)
    assert (found.threshold, found.alone, found.escapes) == (BEYOND_ALL, 0, 0)


def test_without_defects_nothing_is_promised() -> None:
    found = choose_threshold([9, 1], [False, False], None, **ASKED)
    assert (found.threshold, found.proven, found.upper_bound) == (BEYOND_ALL, False, 1)


def test_a_part_is_as_good_as_its_worst_view() -> None:
    #        good a    defect b: one view looks good, one does not; good c
    score = [4, 3, 6.0, -2, 1, 2]
    defect = [False, False, True, False, False, False]
    found = choose_threshold(score, defect, ["a", "a", "b", "b", "c", "c"], **ASKED)
    assert (found.counted, found.threshold, found.alone) == (1, -0.5, 1)
    pictures = choose_threshold(score, defect, None, **ASKED)
    assert pictures.threshold == BEYOND_ALL  # each view by itself: the defect's best is on top


def test_figures_by_class() -> None:
    score = [3, 2, 1, 0.5, 0, 0]
    names = ["good", "good", "cut", "bent", "bent", "cut"]
    defect = [name != "good" for name in names]
    found = choose_threshold(
        score, defect, [1, 2, 3, 4, 4, 5], target=0.5, confidence=0.5, classes=names
    )
    rows = [(row.class_code, row.parts, row.escapes) for row in found.classes]
    assert rows == [("bent", 1, 0), ("cut", 2, 1)]
    assert found.classes[1].upper_bound == upper_bound(1, 2, 0.5)


@pytest.mark.parametrize(
    ("score", "defect", "part", "asked"),
    [
        ([1, np.nan], [True, False], None, ASKED),
        ([1, np.inf], [True, False], None, ASKED),
        ([1, 2], [True], None, ASKED),
        ([1, 2], [True, False], ["a"], ASKED),
        ([[1, 2]], [[True, False]], ["a"], ASKED),
        ([1, 2], [True, False], None, {"target": 0, "confidence": 0.95}),
        ([1, 2], [True, False], None, {"target": 0.01, "confidence": 1}),
    ],
)
def test_what_cannot_be_promised_on(
    score: list[float], defect: list[bool], part: list[str] | None, asked: dict[str, float]
) -> None:
    with pytest.raises(ModelError):
        choose_threshold(score, defect, part, **asked)


@pytest.mark.parametrize("defects", [25, 400])
def test_the_promise_holds(defects: int) -> None:
    """Binormal scores: the true escape rate at the threshold is known."""
    rng, broken, draws = np.random.default_rng(defects), 0, 300
    defect = np.arange(defects + 100) >= 100
    for _ in range(draws):
        score = np.concatenate([rng.normal(2, 1, 100), rng.normal(0, 1, defects)])
        found = choose_threshold(score, defect, None, **ASKED)
        broken += (1 - NormalDist().cdf(found.threshold)) > found.upper_bound
    assert (
        0.01 <= broken / draws <= 0.08
    )  # 5 % ± 2.7 standard errors, less what the grid gives away


def test_without_a_good_class_errors_among_those_judged_alone() -> None:
    score = np.arange(1000) / 10
    few = choose_sure(score, score < 10, None, **ASKED)
    assert few.risk == "errors"
    assert (few.proven, few.upper_bound, few.escapes) == (True, 0.01, 0)
    assert few.threshold == 10  # the last twentieth without an error; the next is half errors
    assert (few.alone, few.counted) == (0.9, 900)


def test_too_few_parts_for_a_promise_about_errors() -> None:
    found = choose_sure(np.arange(50.0), np.arange(50) == 9, None, **ASKED)
    assert (found.proven, found.threshold, found.alone) == (False, 9.5, 0.8)
    assert found.upper_bound == pytest.approx((1 - 0.05 ** (1 / 50)) / 0.8)
    top = choose_sure(np.arange(50.0), np.arange(50) == 49, None, **ASKED)
    assert (top.threshold, top.alone, top.upper_bound) == (BEYOND_ALL, 0, 1)
    last = choose_sure(np.arange(50.0), np.arange(50) == 48, None, **ASKED)
    assert (last.alone, last.upper_bound) == (0.02, 1)
    none = choose_sure(np.arange(50.0), np.zeros(50, bool), None, **ASKED)
    assert (none.threshold, none.alone) == (NEVER, 1)


def test_where_all_is_proven_no_threshold_is_needed() -> None:
    score = np.arange(600) / 10
    all_right = choose_sure(score, score < 0, None, **ASKED)
    assert (all_right.threshold, all_right.proven, all_right.alone) == (NEVER, True, 1)
    score[:60] = NEVER  # these go to a person in any case
    rest = choose_sure(score, score < 0, None, **ASKED)
    assert (rest.threshold, rest.proven, rest.alone, rest.escapes) == (NEVER, True, 0.9, 0)


def test_a_threshold_is_above_the_defect_however_close_the_next_part() -> None:
    close = float(np.nextafter(1, 2))
    found = choose_threshold([close, 1], [False, True], None, **ASKED)
    assert (found.threshold, found.escapes, found.alone) == (close, 0, 1)


def test_an_early_failure_ends_the_sequence() -> None:
    """Errors among the surest: later thresholds would pass their test, and may not be tried."""
    wrong = np.zeros(4000, bool)
    wrong[[-1, -2, -3]] = True
    found = choose_sure(np.arange(4000) / 100, wrong, None, **ASKED)
    assert not found.proven
    assert found.alone == 0


def test_log_odds_see_what_is_missing_to_one() -> None:
    assert log_odds([0.5, 0.25, 0.25], 0) == 0
    assert log_odds([1.0, 1e-30], 0) == pytest.approx(69.08, abs=0.01)
    assert log_odds([1.0, 0.0], 0) == -log_odds([1.0, 0.0], 1) < 88
    rows = np.array([[0.5, 0.5], [0.8, 0.2]])
    np.testing.assert_allclose(log_odds_of(rows, np.array([0, 1])), [0, -np.log(4)])
    np.testing.assert_allclose(log_odds_of(rows, 0), [0, np.log(4)])
