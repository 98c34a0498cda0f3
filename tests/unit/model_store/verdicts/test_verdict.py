from __future__ import annotations

import subprocess
import sys
from math import inf, nan

import pytest

from linewatch.errors import ModelError
from model_store.promise.pass_score import BEYOND_ALL
from model_store.verdicts.verdict import BY_DISTANCE, Judgement, Thresholds, judge, of_damaged
from producer.contract import Reason, Verdict

CLASSES = ("bent", "good", "cut")


@pytest.mark.parametrize(
    ("shares", "good", "below", "expected"),
    [
        ([0.1, 0.8, 0.1], "good", 0.5, (Verdict.PASS, "good", 0.8, None)),
        ([0.8, 0.1, 0.1], "good", 0.5, (Verdict.DEFECT, "bent", 0.8, None)),
        ([0.1, 0.1, 0.8], "good", 0.5, (Verdict.DEFECT, "cut", 0.8, None)),
        ([0.1, 0.8, 0.1], None, 0.5, (Verdict.DEFECT, "good", 0.8, None)),
        ([0.3, 0.4, 0.3], "good", 0.5, (Verdict.REVIEW, "good", 0.4, Reason.UNCERTAIN)),
        ([0.4, 0.3, 0.3], "good", 0.5, (Verdict.REVIEW, "bent", 0.4, Reason.UNCERTAIN)),
        ([0.25, 0.5, 0.25], "good", 0.5, (Verdict.PASS, "good", 0.5, None)),  # at the line: judged
        ([0.25, 0.5, 0.25], "good", 0.0, (Verdict.PASS, "good", 0.5, None)),
        ([0.0, 1.0, 0.0], "good", 1.0, (Verdict.PASS, "good", 1.0, None)),
        ([0.5, 0.5, 0.0], "good", 0.5, (Verdict.DEFECT, "bent", 0.5, None)),  # a tie: the first
        ([nan, 0.9, 0.1], "good", 0.5, (Verdict.REVIEW, None, None, Reason.NOT_FINITE)),
        ([0.1, inf, 0.1], "good", 0.5, (Verdict.REVIEW, None, None, Reason.NOT_FINITE)),
    ],
)
def test_the_rules(
    shares: list[float], good: str | None, below: float, expected: Judgement
) -> None:
    thresholds = Thresholds(review_below=below)
    for given in (shares, dict(zip(reversed(CLASSES), reversed(shares), strict=True))):
        result = judge(given, classes=CLASSES, good_class=good, thresholds=thresholds)
        assert result == expected


@pytest.mark.parametrize(
    ("shares", "prior", "verdict"),
    [
        ([0.1, 0.8, 0.1], None, Verdict.PASS),  # log(0.8 / 0.2) = 1.386, the threshold
        ([0.11, 0.79, 0.1], None, Verdict.REVIEW),
        ([0.6, 0.3, 0.1], None, Verdict.DEFECT),  # the promise is about what passes
        ([0.1, 0.8, 0.1], 0.1, Verdict.REVIEW),  # as good as it is likely only by the labels' mix
        ([0.15, 0.7, 0.15], -0.6, Verdict.PASS),
        ([0.0, 1.0, 0.0], None, Verdict.PASS),
    ],
)
def test_only_what_the_promise_covers_passes(
    shares: list[float], prior: float | None, verdict: Verdict
) -> None:
    thresholds = Thresholds(alone_from=1.386, prior_log_odds=prior)
    got = judge(shares, classes=CLASSES, good_class="good", thresholds=thresholds)
    assert got.verdict is verdict
    assert got.reason is (Reason.UNCERTAIN if verdict is Verdict.REVIEW else None)
    assert got.defect_class == CLASSES[shares.index(max(shares))]
    two = judge(
        [1 - shares[1], shares[1]],
        classes=("bent", "good"),
        good_class="good",
        thresholds=thresholds,
    )
    assert two.verdict is verdict


def test_without_a_good_class_the_promise_is_about_every_class() -> None:
    thresholds = Thresholds(alone_from=1.386)
    for good in (None, "fine"):  # nor where the model knows no picture of the good one
        sure = judge([0.8, 0.1, 0.1], classes=CLASSES, good_class=good, thresholds=thresholds)
        unsure = judge([0.79, 0.11, 0.1], classes=CLASSES, good_class=good, thresholds=thresholds)
        assert (sure.verdict, unsure.verdict) == (Verdict.DEFECT, Verdict.REVIEW)


def test_at_the_threshold_a_part_passes() -> None:
    thresholds = Thresholds(alone_from=0.0)
    got = judge([0.25, 0.5, 0.25], classes=CLASSES, good_class="good", thresholds=thresholds)
    assert got.verdict is Verdict.PASS


def test_a_threshold_beyond_all_lets_nothing_pass() -> None:
    thresholds = Thresholds(alone_from=BEYOND_ALL)
    got = judge([0.0, 1.0, 0.0], classes=CLASSES, good_class="good", thresholds=thresholds)
    assert got == (Verdict.REVIEW, "good", 1.0, Reason.UNCERTAIN)


def test_promise_and_costs_both_have_to_agree() -> None:
    thresholds = Thresholds(alone_from=1.386, pass_from=0.9, defect_to=0.2)
    said = {
        p: judge([1 - p, p], classes=("bent", "good"), good_class="good", thresholds=thresholds)
        for p in (0.95, 0.85, 0.1)
    }
    assert [one.verdict for one in said.values()] == [
        Verdict.PASS,
        Verdict.REVIEW,
        Verdict.DEFECT,
    ]
    strict = thresholds.model_copy(update={"alone_from": 3.0})  # P(good) = 0.953
    got = judge([0.05, 0.95], classes=("bent", "good"), good_class="good", thresholds=strict)
    assert got.verdict is Verdict.REVIEW


def test_who_only_proposes_decides_nothing() -> None:
    thresholds = Thresholds(proposes=True)
    for shares, name in (([0.0, 1.0, 0.0], "good"), ([0.9, 0.0, 0.1], "bent")):
        got = judge(shares, classes=CLASSES, good_class="good", thresholds=thresholds)
        assert got == (Verdict.REVIEW, name, max(shares), Reason.UNCERTAIN)


@pytest.mark.parametrize(
    ("p_good", "expected"),
    [
        (0.3, (Verdict.PASS, "good", 0.3, None)),  # rare defects: even 0.3 may be good enough
        (0.29, (Verdict.REVIEW, "bent", 0.41, Reason.UNCERTAIN)),
        (0.1, (Verdict.DEFECT, "bent", 0.6, None)),
        (0.0, (Verdict.DEFECT, "bent", 0.7, None)),
    ],
)
def test_costs_draw_the_lines_on_the_good_class(p_good: float, expected: Judgement) -> None:
    thresholds = Thresholds(review_below=1.0, pass_from=0.3, defect_to=0.1)
    shares = [0.7 - p_good, p_good, 0.3]
    got = judge(shares, classes=CLASSES, good_class="good", thresholds=thresholds)
    assert got[:2] == expected[:2]
    assert got.confidence == pytest.approx(expected[2])
    assert got.reason == expected[3]
    without = judge(shares, classes=CLASSES, good_class=None, thresholds=thresholds)
    assert without.verdict is Verdict.REVIEW  # nothing passes: the borders do not apply


@pytest.mark.parametrize(
    ("shares", "sure"),
    [
        ([0.1, 0.8, 0.1], True),
        ([0.31, 0.6, 0.09], False),  # bent may be it as well
        ([0.25, 0.45, 0.3], False),  # in no set at all
        ([0.2, 0.2, 0.6], True),  # cut is promised nothing, so nothing is asked of it
    ],
)
def test_a_set_that_is_not_one_class_goes_to_a_person(shares: list[float], sure: bool) -> None:
    thresholds = Thresholds(review_below=0, least_probabilities={"bent": 0.3, "good": 0.5})
    got = judge(shares, classes=CLASSES, good_class="good", thresholds=thresholds)
    assert (got.reason is None) == sure
    assert got.reason in (None, Reason.UNCERTAIN)


@pytest.mark.parametrize(
    ("distance", "novel"), [(None, False), (2.0, False), (2.001, True), (nan, True), (inf, True)]
)
def test_what_is_unlike_anything_seen_goes_to_a_person(distance: float | None, novel: bool) -> None:
    got = judge(
        [0.0, 1.0, 0.0],
        classes=CLASSES,
        good_class="good",
        thresholds=Thresholds(novel_above=2.0),
        distance=distance,
    )
    expected = (Verdict.REVIEW, Reason.NOVEL) if novel else (Verdict.PASS, None)
    assert (got.verdict, got.reason) == expected
    assert (got.defect_class, got.confidence) == ("good", 1.0)


@pytest.mark.parametrize("shares", [[], [1.0], [0.2] * 4, {"bent": 1.0}, dict.fromkeys("abc", 0.3)])
def test_probabilities_that_do_not_fit(shares: object) -> None:
    with pytest.raises(ModelError):
        judge(shares, classes=CLASSES, good_class="good", thresholds=Thresholds())  # type: ignore[arg-type]


@pytest.mark.parametrize("below", [-0.1, 1.1, nan])
def test_a_threshold_is_a_probability(below: float) -> None:
    with pytest.raises(ValueError, match="review_below"):
        Thresholds(review_below=below)


def test_the_rules_need_no_numpy_and_no_torch() -> None:
    script = (
        "import sys, model_store.verdicts.verdict\n"
        "print({'numpy', 'torch', 'sklearn'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


def verdict(shares: list[float], good: str | None, **rules: object) -> Judgement:
    thresholds = Thresholds.model_validate(rules)
    return judge(shares, classes=CLASSES, good_class=good, thresholds=thresholds)


@pytest.mark.parametrize("good", [None, "elsewhere"])
def test_cost_borders_need_a_good_class_that_the_model_knows(good: str | None) -> None:
    """Without one the review threshold decides, at the line as well as above it."""
    rules = {"pass_from": 0.9, "defect_to": 0.2, "review_below": 0.5}
    assert verdict([0.5, 0.25, 0.25], good, **rules) == (Verdict.DEFECT, "bent", 0.5, None)
    uncertain = (Verdict.REVIEW, "bent", 0.4, Reason.UNCERTAIN)
    assert verdict([0.4, 0.3, 0.3], good, **rules) == uncertain


@pytest.mark.parametrize("border", ["pass_from", "defect_to"])
def test_one_cost_border_alone_is_none(border: str) -> None:
    said = verdict([0.1, 0.6, 0.3], "good", review_below=0.5, **{border: 0.7})
    assert said == (Verdict.PASS, "good", 0.6, None)


def test_a_class_is_in_its_set_from_its_least_probability_on() -> None:
    least = {"bent": 0.25, "good": 0.5, "cut": 0.25}
    both = verdict([0.25, 0.625, 0.125], "good", least_probabilities=least)
    assert both == (Verdict.REVIEW, "good", 0.625, Reason.UNCERTAIN)
    alone = verdict([0.125, 0.5, 0.375], "good", least_probabilities=least | {"cut": 0.5})
    assert alone == (Verdict.PASS, "good", 0.5, None)


def test_probabilities_that_do_not_fit_are_named() -> None:
    with pytest.raises(ModelError, match=r"^2 probabilities for 3 classes$"):
        verdict([0.5, 0.5], "good")
    named = {"bent": 0.5, "good": 0.4, "melted": 0.1}
    with pytest.raises(ModelError, match=r"^the probabilities name other classes than the model"):
        judge(named, classes=CLASSES, good_class="good", thresholds=Thresholds())


@pytest.mark.parametrize("verdict", [Verdict.PASS, Verdict.DEFECT, Verdict.REVIEW])
def test_a_damaged_picture_is_looked_at_whatever_the_model_says(verdict: Verdict) -> None:
    reason = Reason.UNCERTAIN if verdict is Verdict.REVIEW else None
    said = of_damaged(Judgement(verdict, "bent", 0.9, reason))
    assert said == Judgement(Verdict.REVIEW, "bent", 0.9, Reason.DAMAGED)


@pytest.mark.parametrize("reason", [Reason.NO_MODEL, Reason.NOT_FINITE])
def test_what_no_model_judged_keeps_its_reason(reason: Reason) -> None:
    said = Judgement(Verdict.REVIEW, None, None, reason)
    assert of_damaged(said) == said


def test_every_rule_by_distance_is_known_as_one() -> None:
    assert {name for name in Thresholds.model_fields if name.endswith("_above")} == {*BY_DISTANCE}
