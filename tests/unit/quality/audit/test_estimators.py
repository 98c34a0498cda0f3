"""True figures from an audit sample, against paper, ppi-python, and plants whose truth is known."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quality.audit.estimators import truth
from quality.audit.intervals import horvitz_thompson, prediction_powered, score
from quality.audit.sample import Method, NoAuditError, Said, Stratum
from quality.intervals.exact import number_in_lot
from quality.intervals.wilson import wilson_interval

ORACLES = Path(__file__).parents[1] / "oracles"
PASSED = Stratum(Said.CONFORMING, 9_000, 0.05, 450, 400, 2)
CALLED = Stratum(Said.NONCONFORMING, 600, 0.05, 30, 24, 18)
BOTH = [PASSED, CALLED]


def test_by_hand() -> None:
    found = truth(BOTH, by_people=400, bad_by_people=100)
    assert found.nonconforming.count == pytest.approx(9_000 * 2 / 400 + 600 * 18 / 24 + 100)
    assert found.nonconforming.of == 10_000
    assert found.nonconforming.rate == pytest.approx(0.0595)
    assert found.escapes is not None
    assert (found.escapes.count, found.escapes.of) == (pytest.approx(45.0), 9_000)
    assert found.overkill is not None
    assert (found.overkill.count, found.overkill.of) == (pytest.approx(150.0), 600)
    assert (found.drawn, found.unanswered, found.taken_at_its_word) == (480, 56, 0)


def test_bounds_of_one_stratum_are_those_of_its_lot() -> None:
    found = truth(BOTH, method=Method.EXACT)
    assert found.escapes is not None
    assert found.overkill is not None
    assert (found.escapes.low, found.escapes.high) == pytest.approx(number_in_lot(9_000, 400, 2))
    low, high = number_in_lot(600, 24, 18)
    assert (found.overkill.low, found.overkill.high) == pytest.approx((600 - high, 600 - low))


def test_exact_bounds_of_both_are_joined_by_the_squares_of_their_distances() -> None:
    found = truth(BOTH, 400, 100, Method.EXACT).nonconforming
    lots = [number_in_lot(9_000, 400, 2), number_in_lot(600, 24, 18)]
    low = 595 - ((45 - lots[0][0]) ** 2 + (450 - lots[1][0]) ** 2) ** 0.5
    high = 595 + ((45 - lots[0][1]) ** 2 + (450 - lots[1][1]) ** 2) ** 0.5
    assert (found.low, found.high) == pytest.approx((low, high))


@pytest.mark.parametrize(
    ("passed", "called", "method"),
    [(2, 2, Method.EXACT), (2, 3, Method.SCORE), (398, 22, Method.EXACT), (397, 22, Method.SCORE)],
)
def test_with_few_parts_of_either_kind_bounds_are_exact(
    passed: int, called: int, method: Method
) -> None:
    strata = [replace(PASSED, nonconforming=passed), replace(CALLED, nonconforming=called)]
    assert truth(strata).nonconforming.method is method


@pytest.mark.parametrize(("bad", "answered"), [(0, 50), (3, 50), (40, 200), (200, 200)])
def test_the_score_interval_of_one_stratum_is_wilsons(bad: int, answered: int) -> None:
    huge = Stratum(Said.CONFORMING, 10**9, 0.5, answered, answered, bad)
    found = score([huge])
    assert (found.rate_low, found.rate_high) == pytest.approx(
        wilson_interval(bad, answered), abs=1e-6
    )


def test_the_score_interval_of_both_by_trying_every_number() -> None:
    """No λ and no search: of each number the likeliest two rates on a fine grid."""
    q = np.linspace(0.3, 0.9999, 4_000)
    kept = []
    for number in range(330, 720):
        p = (number - 600 * q) / 9_000
        possible = (p > 0) & (p < 1)
        chance = np.full(len(q), -np.inf)
        at, of = p[possible], q[possible]
        chance[possible] = 2 * np.log(at) + 398 * np.log1p(-at)
        chance[possible] += 18 * np.log(of) + 6 * np.log1p(-of)
        best = chance.argmax()
        variance = 9_000**2 * p[best] * (1 - p[best]) * (1 - 400 / 9_000) / 400
        variance += 600**2 * q[best] * (1 - q[best]) * (1 - 24 / 600) / 24
        if abs(495 - number) <= 1.959964 * variance**0.5:
            kept.append(number)
    found = score(BOTH)
    assert (np.ceil(found.low), np.floor(found.high)) == (min(kept), max(kept))


def test_what_was_found_is_there_and_what_was_found_good_is_not() -> None:
    nearly = [Stratum(Said.CONFORMING, 100, 0.95, 95, 95, bad) for bad in (5, 90)]
    few, most = (score([one]) for one in nearly)
    assert few.low == 5
    assert most.high == 95


def test_an_audit_of_everything_knows_everything() -> None:
    whole = [
        Stratum(Said.CONFORMING, 900, 1.0, 900, 900, 5),
        Stratum(Said.NONCONFORMING, 100, 1.0, 100, 100, 90),
    ]
    for method in (Method.AUTO, Method.EXACT, Method.SCORE, Method.HORVITZ_THOMPSON):
        found = truth(whole, 50, 20, method).nonconforming
        assert (found.count, found.low, found.high, found.of) == pytest.approx(
            (115, 115, 115, 1_050)
        )


def test_unanswered_parts_are_not_taken_as_good() -> None:
    """Half of the answers missing: the figure stays, the interval widens."""
    half = [
        replace(PASSED, answered=200, nonconforming=1),
        replace(CALLED, answered=12, nonconforming=9),
    ]
    whole, less = truth(BOTH), truth(half)
    assert less.nonconforming.count == pytest.approx(whole.nonconforming.count)
    assert less.unanswered == 268
    assert less.nonconforming.high > whole.nonconforming.high
    ways = (Method.HORVITZ_THOMPSON, Method.PREDICTION_POWERED)
    for method in ways:
        counts = [truth(strata, 0, 0, method).nonconforming.count for strata in (BOTH, half)]
        assert counts[0] == pytest.approx(counts[1], rel=0.06)


def test_a_stratum_without_answers_is_taken_at_the_models_word_but_not_trusted() -> None:
    silent = replace(CALLED, drawn=0, answered=0, nonconforming=0)
    found = truth([PASSED, silent])
    assert found.taken_at_its_word == 600
    assert found.nonconforming.count == pytest.approx(645)
    assert found.nonconforming.low < 100
    for method in (Method.EXACT, Method.SCORE):
        bounds = truth([PASSED, silent], method=method).nonconforming
        assert bounds.low < 100
        assert bounds.high > 645
    assert found.overkill is not None
    assert (found.overkill.count, found.overkill.low, found.overkill.high) == (0, 0, 600)


def test_a_share_that_was_changed_makes_strata_of_its_own() -> None:
    more = Stratum(Said.CONFORMING, 1_000, 0.5, 500, 500, 10)
    found = truth([PASSED, more, CALLED])
    assert found.nonconforming.count == pytest.approx(45 + 20 + 450)
    assert found.escapes is not None
    assert found.escapes.count == pytest.approx(65)


def test_horvitz_and_thompson_by_hand() -> None:
    found = horvitz_thompson([replace(PASSED, answered=450, nonconforming=9)])
    half = 1.959964 * (9 * 0.95 / 0.05**2) ** 0.5
    assert found.count == pytest.approx(180)
    assert (found.low, found.high) == pytest.approx((180 - half, 180 + half))
    assert horvitz_thompson([replace(PASSED, nonconforming=1)]).low == 0, "never below 0"


PPI = json.loads((ORACLES / "ppi_python.json").read_text())


@pytest.mark.parametrize("case", PPI["cases"], ids=lambda case: case["name"])
def test_prediction_powered_is_what_ppi_python_says(case: dict[str, Any]) -> None:
    strata = [Stratum(Said(row["said"]), *row["counts"]) for row in case["strata"]]
    found = prediction_powered(strata, case["power"])
    assert found.rate == pytest.approx(case["mean"], abs=1e-9)
    low, high = max(0.0, case["low"]), min(1.0, case["high"])
    assert (found.rate_low, found.rate_high) == pytest.approx((low, high), abs=1e-9)


def test_the_figure_is_the_mean_over_many_audits_of_one_plant() -> None:
    """No formula of ours: audits of a plant whose every part is known, drawn part by part."""
    rng = np.random.default_rng(3)
    bad = rng.random(4_000) < 0.08
    called = np.where(bad, rng.random(4_000) < 0.8, rng.random(4_000) < 0.05)
    found, held = [], 0
    for _ in range(150):
        drawn = rng.random(4_000) < 0.1
        answered = drawn & (rng.random(4_000) < 0.8)
        strata = [
            Stratum(
                Said.NONCONFORMING if said else Said.CONFORMING,
                int((called == said).sum()),
                0.1,
                *(int(of[called == said].sum()) for of in (drawn, answered, answered & bad)),
            )
            for said in (True, False)
        ]
        estimate = truth(strata).nonconforming
        found.append(estimate.count)
        held += estimate.low <= bad.sum() <= estimate.high
    assert np.mean(found) == pytest.approx(bad.sum(), abs=3 * np.std(found) / np.sqrt(150))
    assert held >= 135


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"share": 0.0}, "an audit share of 0.0: it must be above 0"),
        ({"share": 1.5}, "an audit share of 1.5: .* at most 1"),
        ({"drawn": 9_001}, "450|9001 drawn of 9000 parts"),
        ({"answered": 451}, "451 answered of 450 drawn"),
        ({"nonconforming": 401}, "401 nonconforming of 400 answered"),
        ({"nonconforming": -1}, "-1 nonconforming"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(PASSED, **wrong)


def test_nothing_to_estimate_from_is_one_sentence() -> None:
    silent = replace(PASSED, answered=0, nonconforming=0)
    with pytest.raises(NoAuditError, match="none of the 450 parts drawn for the audit is answered"):
        truth([silent])
    with pytest.raises(NoAuditError, match="the model decided no part in this range"):
        truth([])
    with pytest.raises(ValueError, match="3 nonconforming of 2 parts that people decided"):
        truth(BOTH, 2, 3)


def test_where_the_model_called_nothing_there_is_no_overkill() -> None:
    found = truth([PASSED, Stratum(Said.NONCONFORMING, 0, 0.05, 0, 0, 0)])
    assert found.overkill is None
    assert found.escapes == found.nonconforming
