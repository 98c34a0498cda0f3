"""The gate's tests and rules, on made-up opinions."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import f1_score

from linewatch.errors import ModelError
from model_store.gate.figures import Figures, compare
from model_store.gate.gate import GateOutcome, Rules, decide, first
from model_store.gate.paired import macro_f1, mcnemar
from tests.support.opinions import (
    ACTUAL,
    RULES,
    many,
    opinion,
    outcome,
    scored,
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


def test_an_equal_and_a_better_challenger_pass() -> None:
    champion = opinion(wrong(8, "cut", start=20))
    assert outcome(champion, champion)[0] is GateOutcome.PASSED
    verdict, reasons = outcome(champion, opinion(ACTUAL))
    assert verdict is GateOutcome.PASSED
    assert "no worse on 60 pictures" in reasons


def test_one_more_escape_fails() -> None:
    """Even a challenger that is better by everything else."""
    champion = opinion(wrong(10, "bent", start=40))
    verdict, reasons = outcome(champion, opinion(wrong(1, "good", start=20)))
    assert verdict is GateOutcome.FAILED
    assert reasons == "folds: escapes rise from 0 to 1 of 60 pictures"


def test_a_significantly_worse_challenger_fails_by_every_test() -> None:
    verdict, reasons = outcome(opinion(ACTUAL), opinion(wrong(9, "cut", start=20)))
    assert verdict is GateOutcome.FAILED
    assert "only by the champion" in reasons
    assert "macro F1 falls" in reasons
    assert "bent falls from 100% to 55% of 20 found, below 84%" in reasons


def test_a_small_loss_is_chance_in_large_classes_only() -> None:
    """1 of 20 is within the champion's interval; 4 of 20 are not."""
    loose = Rules(macro_f1_loss=1.0)
    one, four = (opinion(wrong(n, "cut", start=20)) for n in (1, 4))
    assert outcome(opinion(ACTUAL), one, loose)[0] is GateOutcome.PASSED
    verdict, reasons = outcome(opinion(ACTUAL), four, loose)
    assert verdict is GateOutcome.FAILED
    assert "lower end of the champion's interval" in reasons


def test_review_may_grow_a_little() -> None:
    assert outcome(opinion(ACTUAL), opinion(ACTUAL, review=3))[0] is GateOutcome.PASSED
    verdict, reasons = outcome(opinion(ACTUAL), opinion(ACTUAL, review=4))
    assert verdict is GateOutcome.FAILED
    assert "for review grows from 0.0% to 6.7%" in reasons


def test_too_few_pictures_are_no_pass() -> None:
    few = compare(["good", "bent"] * 4, *[opinion(["good", "bent"] * 4)] * 2, good_class="good")
    decision = decide({"folds": few}, RULES)
    assert decision.outcome is GateOutcome.UNDECIDED
    assert "8 of the 20 needed" in decision.reasons[0]
    assert decide({}, RULES).outcome is GateOutcome.UNDECIDED


def test_harm_that_is_seen_in_few_pictures_fails_all_the_same() -> None:
    actual = ["good", "bent"] * 4
    found = compare(actual, opinion(actual), opinion(["good"] * 8), good_class="good")
    assert decide({"golden": found}, RULES).outcome is GateOutcome.FAILED


def test_the_borders_without_a_good_class() -> None:
    same = compare(ACTUAL, *[opinion(ACTUAL, review=10)] * 2, good_class=None)
    assert decide({"folds": same}, Rules(least_pictures=60)).passed
    assert not decide({"folds": same}, Rules(least_pictures=61)).passed
    loss = replace(same, macro_f1_difference=-0.02)
    assert decide({"folds": loss}, RULES).passed
    worse = decide({"folds": replace(loss, macro_f1_difference=-0.021)}, RULES)
    assert worse.reasons[0].startswith("folds: macro F1 falls by 0.021 (")


def test_the_sentences_that_have_no_figures() -> None:
    assert first(["a note"]).reasons == (
        "there is no champion to compare with; a person decides", "a note",
    )  # fmt: skip
    assert first().figures == {}
    defects = compare(many(0, 9), *[scored(1, 9.0, many(0, 9))] * 2, good_class="good")
    assert decide({"golden": defects}, RULES).reasons == (
        "golden: good parts and defects are needed to compare the two at the same overkill",
    )
    bad = compare(ACTUAL, opinion(ACTUAL), opinion(wrong(9, "cut", start=20)), good_class=None)
    lost = decide({"folds": bad}, RULES, lost_classes=["cut", "bent"])
    assert lost.reasons[0] == "it no longer knows cut, bent"


def test_a_class_that_was_lost_fails_and_notes_are_kept() -> None:
    same = compare(ACTUAL, *[opinion(ACTUAL)] * 2, good_class="good")
    decision = decide({"folds": same}, RULES, lost_classes=["cut"], notes=["a note"])
    assert decision.outcome is GateOutcome.FAILED
    assert decision.reasons == ("it no longer knows cut", "a note")
    assert decision.figures["folds"]["pictures"] == 60


def test_a_first_model_is_for_a_person() -> None:
    assert first().outcome is GateOutcome.FIRST
    assert not first().passed


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_no_challenger_with_more_escapes_ever_passes(data: st.DataObject) -> None:
    names = st.sampled_from(["good", "bent", "cut"])
    actual = data.draw(st.lists(names, min_size=20, max_size=30))
    said = st.lists(names, min_size=len(actual), max_size=len(actual))
    old, new = opinion(data.draw(said)), opinion(data.draw(said))
    found: Figures = compare(actual, old, new, good_class="good")
    if decide({"folds": found}, Rules(1, 1.0, 1.0)).passed:
        assert found.challenger["escapes"] <= found.champion["escapes"]


def test_opinions_must_be_about_the_same_pictures() -> None:
    with pytest.raises(ModelError, match="cannot be compared"):
        compare(ACTUAL, opinion(ACTUAL), opinion(["good"]), good_class="good")
    with pytest.raises(ModelError, match="0 pictures"):
        compare([], opinion([]), opinion([]), good_class=None)
