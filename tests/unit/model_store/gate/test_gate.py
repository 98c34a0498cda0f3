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
from model_store.gate.equal_overkill import EqualOverkill
from model_store.gate.figures import Figures, Opinion, compare
from model_store.gate.gate import GateOutcome, Rules, decide, first
from model_store.gate.paired import macro_f1, mcnemar
from producer.contract import Verdict

RULES = Rules()
ACTUAL = ["good"] * 20 + ["bent"] * 20 + ["cut"] * 20


def opinion(choices: list[str], review: int = 0) -> Opinion:
    """Verdicts that follow the choices, but that the last `review` go to a person."""
    verdicts = [Verdict.PASS if name == "good" else Verdict.DEFECT for name in choices]
    return Opinion(choices, verdicts[: len(choices) - review] + [Verdict.REVIEW] * review)


def wrong(count: int, said: str, *, start: int) -> list[str]:
    """The truth, but `count` pictures from `start` on are taken for `said`."""
    return [said if start <= i < start + count else name for i, name in enumerate(ACTUAL)]


def outcome(
    champion: Opinion, challenger: Opinion, rules: Rules = RULES
) -> tuple[GateOutcome, str]:
    figures = compare(ACTUAL, champion, challenger, good_class="good")
    decision = decide({"folds": figures}, rules)
    return decision.outcome, " | ".join(decision.reasons)


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


def scored(
    seed: int, apart: float, actual: list[str], kinds: list[str] | None = None, review: int = 0
) -> Opinion:
    """An opinion by scores: defects lie `apart` deviations below good parts."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=len(actual)) - apart * np.array([name != "good" for name in actual])
    choices = [
        "good" if score > -apart / 2 else name if name != "good" else "cut"
        for score, name in zip(scores, actual, strict=True)
    ]
    plain = opinion(choices, review)
    return Opinion(plain.choices, plain.verdicts, scores, kinds or actual)


def many(good: int, bent: int, cut: int = 0) -> list[str]:
    return ["good"] * good + ["bent"] * bent + ["cut"] * cut


def scored_outcome(
    actual: list[str], champion: Opinion, challenger: Opinion, rules: Rules = RULES
) -> tuple[GateOutcome, str]:
    found = compare(actual, champion, challenger, good_class="good")
    decision = decide({"folds": found}, rules)
    return decision.outcome, " | ".join(decision.reasons)


def test_escapes_are_compared_at_the_same_overkill_and_not_as_each_has_them() -> None:
    """A champion that stops nearly all good parts lets hardly a defect pass, and is the worse."""
    actual = many(300, 200, 60)
    champion, challenger = scored(1, 1.0, actual), scored(2, 3.0, actual)
    strict = Opinion(
        ["cut"] * 560, [Verdict.DEFECT] * 560, champion.scores, champion.kinds
    )  # its own thresholds call everything a defect
    found = compare(actual, strict, challenger, good_class="good")
    assert found.challenger["escapes"] > found.champion["escapes"] == 0
    verdict, reasons = scored_outcome(actual, strict, challenger)
    assert verdict is GateOutcome.PASSED
    assert reasons.startswith("folds: no worse: at the same overkill of 50%, escapes of 260")
    assert "where 1.0% of the defects pass" in reasons
    verdict, reasons = scored_outcome(actual, challenger, strict)
    assert verdict is GateOutcome.FAILED
    assert "folds: more defects escape: at the same overkill" in reasons


def test_an_equal_challenger_passes_where_there_are_enough_defects() -> None:
    """√2 times 2.326 of the defects and two more, see `equal_overkill`: 2 % are 163 of 165."""
    for defects, expected in ((163, GateOutcome.PASSED), (162, GateOutcome.UNDECIDED)):
        actual = many(300, defects)
        same = scored(1, 60.0, actual)
        assert scored_outcome(actual, same, same)[0] is expected


@pytest.mark.parametrize(
    ("defects", "said"),
    [
        (61, "61 defective parts of the 100 needed; about 102 more would do"),
        (
            110,
            "up to 2.9% more of the defects could escape, by 99% confidence, and 2.0% may: "
            "about 53 more",
        ),
    ],
)
def test_too_few_defects_leave_it_to_a_person_and_say_how_many_are_missing(
    defects: int, said: str
) -> None:
    actual = many(400, defects)
    perfect = scored(1, 60.0, actual)
    verdict, reasons = scored_outcome(actual, perfect, perfect)
    assert verdict is GateOutcome.UNDECIDED
    assert said in reasons


def test_a_challenger_that_seems_worse_is_not_told_a_number_of_parts() -> None:
    actual = many(300, 120)
    champion = scored(3, 20.0, actual)
    assert champion.scores is not None
    scores = champion.scores.copy()
    scores[-3:] += 60  # 2.5 % more of the defects escape, which chance may do
    challenger = Opinion(champion.choices, champion.verdicts, scores, actual)
    verdict, reasons = scored_outcome(actual, champion, challenger)
    assert verdict is GateOutcome.UNDECIDED
    assert "more labels, or better ones" in reasons


def test_one_set_that_shows_it_is_enough_and_one_that_shows_harm_is_too_much() -> None:
    plenty, few = many(300, 170), many(20, 20)
    good = compare(plenty, *[scored(1, 60.0, plenty)] * 2, good_class="good")
    small = compare(few, *[scored(1, 60.0, few)] * 2, good_class="good")
    harm = compare(few, scored(1, 60.0, few), scored(2, 0.0, few), good_class="good")
    assert decide({"folds": good, "golden": small}, RULES).outcome is GateOutcome.PASSED
    assert decide({"folds": small}, RULES).outcome is GateOutcome.UNDECIDED
    decision = decide({"folds": good, "golden": harm}, RULES)
    assert decision.outcome is GateOutcome.FAILED
    assert decision.reasons[0].startswith("golden: more defects escape")


def test_a_set_without_good_parts_decides_nothing() -> None:
    actual = many(0, 200)
    same = scored(1, 4.0, actual)
    verdict, reasons = scored_outcome(actual, same, same)
    assert verdict is GateOutcome.UNDECIDED
    assert "good parts and defects are needed" in reasons
    plenty = many(300, 170)
    found = {
        "folds": compare(plenty, *[scored(1, 60.0, plenty)] * 2, good_class="good"),
        "golden": compare(actual, same, scored(2, 0.0, actual), good_class="good"),
    }
    decision = decide(found, RULES)
    assert decision.outcome is GateOutcome.PASSED
    assert "golden: 200 pictures, of good parts or of defects alone" in decision.reasons[1]


def test_a_kind_of_defect_that_is_named_wrong_or_lost_fails() -> None:
    """Also where the escapes of all defects together stay what they were."""
    actual = many(300, 200, 12)
    good = scored(1, 8.0, actual)
    blind = scored(1, 8.0, actual, [name.replace("cut", "bent") for name in actual])
    verdict, reasons = scored_outcome(actual, good, blind)
    assert verdict is GateOutcome.FAILED
    assert "cut falls from 100% to 0% of 12 found" in reasons
    assert good.scores is not None
    lost = good.scores.copy()
    lost[500:] += 20  # all twelve look as good as can be
    unseen = Opinion(good.choices, good.verdicts, lost, good.kinds)
    verdict, reasons = scored_outcome(actual, good, unseen)
    assert verdict is GateOutcome.FAILED
    assert "cut falls from 100% to 0% of 12 found" in reasons


def test_reviews_and_the_share_of_good_labels_refuse_nobody() -> None:
    """They are matters of each model's own thresholds."""
    actual = many(300, 170)
    calm, sure = scored(1, 60.0, actual, review=200), scored(1, 60.0, actual)
    assert scored_outcome(actual, sure, calm)[0] is GateOutcome.PASSED


@pytest.mark.parametrize(
    ("only_new", "only_old", "both", "promised", "broken"),
    [
        (10, 0, 0, 0.01, True),
        (10, 0, 0, 0.8, False),  # 10 of 20: surely more than 30 %, not than 80 %
        (10, 0, 0, 0.3, True),
        (10, 0, 0, 0.31, False),
        (6, 0, 0, 0.01, True),
        (5, 0, 0, 0.01, False),  # five tosses of a coin may all be heads
        (6, 1, 8, 0.01, False),
        (0, 10, 0, 0.01, False),
        (1, 0, 15, 0.01, False),  # it breaks its promise as the champion does
    ],
)
def test_a_promise_that_golden_parts_show_to_be_broken_fails(
    only_new: int, only_old: int, both: int, promised: float, broken: bool
) -> None:
    """Of twenty defects; the scores rank all of them right, so at equal overkill none escapes."""
    actual = many(20, 20)
    plain = scored(1, 60.0, actual)
    old, new = (
        [Verdict.PASS if name == "good" or row in escape else Verdict.DEFECT
         for row, name in enumerate(actual)]
        for escape in (
            {*range(20, 20 + both), *range(40 - only_old, 40)},
            {*range(20, 20 + both), *range(20 + both, 20 + both + only_new)},
        )
    )  # fmt: skip
    opinions = [Opinion(plain.choices, said, plain.scores, plain.kinds) for said in (old, new)]
    found = compare(actual, *opinions, good_class="good", promised=promised)
    assert found.own is not None
    assert (found.own.only_champion, found.own.only_challenger) == (only_old, only_new)
    decision = decide({"golden": found}, RULES)
    assert (decision.outcome is GateOutcome.FAILED) == broken
    if broken:
        assert (
            f"{only_new + both} of 20 defects pass, {both} by the champion's"
            in (decision.reasons[0])
        )
    assert compare(actual, *opinions, good_class="good").own is None


def bounded(equal: EqualOverkill, high: float) -> EqualOverkill:
    """The same, with this upper end of the one side of 99 % (2.326348 errors); low is 0 or less."""
    half = (high - equal.difference) * 1.959964 / 2.326348 - 1e-9
    return replace(equal, low=equal.difference - half, high=equal.difference + half)


def test_what_lies_on_a_border_is_allowed() -> None:
    actual = many(300, 100)
    found = compare(actual, *[scored(1, 60.0, actual)] * 2, good_class="good")
    assert found.equal is not None
    edge = replace(found, equal=bounded(found.equal, 0.02))
    passed = decide({"folds": edge}, RULES)
    assert passed.outcome is GateOutcome.PASSED
    assert passed.figures["folds"]["equal"]["defects"] == 100
    open_ = decide({"folds": replace(edge, equal=bounded(found.equal, 0.0201))}, RULES)
    assert open_.outcome is GateOutcome.UNDECIDED
    assert open_.figures["folds"]["pictures"] == 400
    most = found.equal.at_most(RULES.escape_sure)
    assert decide({"folds": found}, Rules(escape_margin=most)).passed
    barely = Rules(escape_margin=most - 1e-9)
    assert "about 1 more defective parts" in decide({"folds": found}, barely).reasons[0]
    (row,) = found.classes
    at_floor = replace(row, challenger_recall=row.floor)
    assert decide({"folds": replace(edge, classes=(at_floor,))}, RULES).passed
    few = replace(row, support=3, challenger_recall=0.0)
    assert not decide({"folds": replace(edge, classes=(few,))}, RULES).passed
    assert decide({"folds": replace(edge, classes=(replace(few, support=2),))}, RULES).passed


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


def test_pictures_of_one_part_are_one_defect() -> None:
    actual = many(300, 150)
    same = scored(1, 60.0, actual)
    names = [*range(300), *(1000 + row // 3 for row in range(150))]
    found = compare(actual, same, same, good_class="good", parts=names)
    assert found.equal is not None
    assert (found.equal.defects, found.equal.good) == (50, 300)
    assert decide({"folds": found}, RULES).outcome is GateOutcome.UNDECIDED


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
