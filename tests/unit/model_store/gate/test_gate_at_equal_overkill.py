"""The gate where opinions have scores: escapes are compared at the same overkill."""

from __future__ import annotations

from dataclasses import replace

import pytest

from model_store.gate.equal_overkill import EqualOverkill
from model_store.gate.figures import Opinion, compare
from model_store.gate.gate import GateOutcome, Rules, decide
from producer.contract import Verdict
from tests.support.opinions import (
    RULES,
    many,
    scored,
    scored_outcome,
)


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


def test_pictures_of_one_part_are_one_defect() -> None:
    actual = many(300, 150)
    same = scored(1, 60.0, actual)
    names = [*range(300), *(1000 + row // 3 for row in range(150))]
    found = compare(actual, same, same, good_class="good", parts=names)
    assert found.equal is not None
    assert (found.equal.defects, found.equal.good) == (50, 300)
    assert decide({"folds": found}, RULES).outcome is GateOutcome.UNDECIDED
