"""The gate's rules, on made-up opinions."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from model_store.gate.figures import Figures, compare
from model_store.gate.gate import GateOutcome, Rules, decide, first
from tests.support.opinions import (
    ACTUAL,
    RULES,
    many,
    opinion,
    outcome,
    scored,
    wrong,
)


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
