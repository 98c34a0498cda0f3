"""An attribute agreement study, counted again by hand."""

from __future__ import annotations

from random import Random

import pytest

from quality.agreement.agreement import Rating, agreement_study
from quality.agreement.appraiser import Acceptance
from quality.intervals.exact import clopper_pearson

REFERENCE = {"p1": "bent", "p2": "bent", "p3": "conforming", "p4": "conforming", "p5": "torn"}
SAID = {
    "model": [
        {"p1": "bent", "p2": "conforming", "p3": "conforming", "p4": "bent", "p5": "bent"},
        {"p1": "bent", "p2": "bent", "p3": "conforming", "p4": "bent", "p5": "torn"},
    ],
    "ada": [REFERENCE, REFERENCE],
}


def ratings(said: dict[str, list[dict[str, str]]]) -> list[Rating]:
    return [
        Rating(name, part, number, of)
        for name, trials in said.items()
        for number, trial in enumerate(trials, start=1)
        for part, of in trial.items()
    ]


def test_by_hand() -> None:
    study = agreement_study(REFERENCE, ratings(SAID))
    assert (study.parts, study.trials) == (5, 2)
    model, ada = study.appraisers
    assert (model.name, model.effectiveness.hits, model.effectiveness.trials) == ("model", 7, 10)
    assert model.miss_rate is not None
    assert (model.miss_rate.hits, model.miss_rate.trials) == (1, 6), "of decisions on bad parts"
    assert model.false_alarm_rate is not None
    assert (model.false_alarm_rate.hits, model.false_alarm_rate.trials) == (2, 4)
    assert (model.always_right.hits, model.always_right.trials) == (3, 5), "p1, p3 and p5"
    assert model.repeatability is not None
    assert (model.repeatability.hits, model.repeatability.trials) == (3, 5), "p2 and p5 differ"
    assert model.acceptance is Acceptance.UNACCEPTABLE
    assert (ada.effectiveness.rate, ada.acceptance) == (1.0, Acceptance.ACCEPTABLE)
    assert (ada.effectiveness.low, ada.effectiveness.high) == pytest.approx(clopper_pearson(5, 5))
    other_order = agreement_study(REFERENCE, ratings(dict(reversed(SAID.items()))))
    assert other_order.all_right == study.all_right
    assert ada.against_reference is not None
    assert ada.against_reference.value == pytest.approx(1.0)
    assert (study.all_right.hits, study.all_right.trials) == (3, 5)
    assert list(study.pairs) == [("model", "ada")]
    assert study.pairs["model", "ada"] == model.against_reference, "as ada said the reference"
    # Six of ten alike; the model said bent 6, conforming 3, torn 1; the reference 4, 4, 2.
    chance = 0.6 * 0.4 + 0.3 * 0.4 + 0.1 * 0.2
    assert model.against_reference is not None
    assert model.against_reference.value == pytest.approx((0.6 - chance) / (1 - chance))


def test_intervals_are_of_parts_not_of_decisions() -> None:
    """Ten trials that say the same tell no more than one."""
    once = {"a": [{**REFERENCE, "p1": "conforming"}]}
    study = agreement_study(REFERENCE, ratings(once))
    often = agreement_study(REFERENCE, ratings({"a": once["a"] * 10}))
    for of in (study, often):
        effectiveness = of.appraisers[0].effectiveness
        assert (effectiveness.low, effectiveness.high) == pytest.approx(clopper_pearson(4, 5))
    assert study.appraisers[0].repeatability is None
    assert study.appraisers[0].within is None
    assert study.between is None


def test_trials_that_are_independent_count_as_so_many() -> None:
    random = Random(1)
    parts = {f"p{n}": "bad" for n in range(300)}
    said = [{p: "bad" if random.random() < 0.8 else "conforming" for p in parts} for _ in range(4)]
    share = agreement_study(parts, ratings({"a": said})).appraisers[0].effectiveness
    low, high = clopper_pearson(share.hits, share.trials)
    assert share.high - share.low == pytest.approx(high - low, rel=0.12)


@pytest.mark.parametrize(
    ("missed", "false_alarms", "acceptance"),
    [
        (2, 5, Acceptance.ACCEPTABLE),
        (3, 5, Acceptance.MARGINAL),
        (2, 6, Acceptance.MARGINAL),
        (5, 10, Acceptance.MARGINAL),
        (6, 10, Acceptance.UNACCEPTABLE),
        (5, 11, Acceptance.UNACCEPTABLE),
    ],
)
def test_the_guidelines(missed: int, false_alarms: int, acceptance: Acceptance) -> None:
    reference = {f"b{n}": "bad" for n in range(100)} | {f"g{n}": "conforming" for n in range(100)}
    wrong = {f"b{n}": "conforming" for n in range(missed)}
    wrong |= {f"g{n}": "bad" for n in range(false_alarms)}
    study = agreement_study(reference, ratings({"a": [reference | wrong]}))
    assert study.appraisers[0].acceptance is acceptance


def test_without_bad_parts_there_is_no_miss_rate() -> None:
    good = {"p1": "conforming", "p2": "conforming"}
    (found,) = agreement_study(good, ratings({"a": [good]})).appraisers
    assert (found.miss_rate, found.against_reference) == (None, None)
    assert found.false_alarm_rate is not None


def test_what_is_no_study() -> None:
    whole = ratings(SAID)
    cases = {
        "'ada' has not rated 1 of 5 parts in trial 2, 'p5' among them": whole[:-1],
        "'ada' rated part 'p5' twice in trial 2": [*whole, whole[-1]],
        "part 'p9' has no reference": [*whole, Rating("ada", "p9", 1, "bent")],
        "trial 0 of 'ada': trials are numbered from 1": [*whole, Rating("ada", "p1", 0, "bent")],
        "needs ratings; there are none": [],
    }
    for message, said in cases.items():
        with pytest.raises(ValueError, match=message):
            agreement_study(REFERENCE, said)
    with pytest.raises(ValueError, match="has no reference"):
        agreement_study({}, whole)
