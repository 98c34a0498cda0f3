"""Rogan and Gladen's estimate with Lang and Reiczigel's interval."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quality.intervals.prevalence import NotEstimableError, Proportion, estimate

ORACLES = Path(__file__).parents[1] / "oracles"


def test_by_hand() -> None:
    """z = 2, so that it can be done on paper: p' = 32/104, Se' = 91/102, Sp' = 181/202."""
    found = estimate(Proportion(30, 100), Proportion(90, 100), Proportion(180, 200), z=2.0)
    assert found.rate == pytest.approx(0.25)
    assert (found.low, found.high) == pytest.approx((0.13430, 0.38109), abs=1e-5)


def test_what_lies_beyond_0_and_1_is_moved_there() -> None:
    known = Proportion(90, 100), Proportion(180, 200)
    few, many = estimate(Proportion(5, 100), *known), estimate(Proportion(99, 100), *known)
    assert (few.rate, few.low) == (0, 0) != few.high
    assert (many.rate, many.high) == (1, 1) != many.low


@pytest.mark.parametrize("case", json.loads((ORACLES / "quapy.json").read_text())["cases"])
def test_the_rate_is_quapys_adjusted_count(case: dict[str, float]) -> None:
    found = estimate(
        Proportion(int(case["called"]), int(case["parts"])),
        Proportion(int(case["right_bad"]), int(case["bad"])),
        Proportion(int(case["right_good"]), int(case["good"])),
    )
    assert found.rate == pytest.approx(case["prevalence"], abs=1e-9)


def test_a_perfect_model_leaves_about_the_chance_of_a_sample() -> None:
    """With no error to correct it is close to Agresti and Coull's interval of the proportion."""
    sure = Proportion(10**9, 10**9)
    found = estimate(Proportion(50, 1000), sure, sure)
    centre, half = (50 + 1.9207) / 1003.84, 1.96 * (0.05172 * 0.94828 / 1003.84) ** 0.5
    assert (found.low, found.high) == pytest.approx((centre - half, centre + half), abs=1e-5)


counted = st.integers(1, 500).flatmap(
    lambda n: st.tuples(st.integers(0, n), st.just(n)).map(lambda pair: Proportion(*pair))
)


@given(counted, counted, counted)
def test_it_is_a_share_or_one_sentence(
    called: Proportion, sensitivity: Proportion, specificity: Proportion
) -> None:
    try:
        found = estimate(called, sensitivity, specificity)
    except NotEstimableError:
        return
    assert 0 <= found.low <= found.high <= 1
    assert 0 <= found.rate <= 1


@pytest.mark.parametrize(
    ("sensitivity", "specificity", "message"),
    [
        ((50, 100), (50, 100), "hardly tells bad parts from good ones .Se \\+ Sp - 1 is 0.00"),
        ((54, 100), (55, 100), "0.09, below 0.1"),
        ((20, 100), (30, 100), "hardly tells"),
        ((0, 1), (100, 100), "hardly tells"),
        ((8, 10), (8, 10), "0.50 ± 0.35.: label more parts, or audit"),
        ((4, 5), (4, 5), "not known well enough .* 0.43 ± 0.47.: label more parts"),
    ],
)
def test_what_is_refused(
    sensitivity: tuple[int, int], specificity: tuple[int, int], message: str
) -> None:
    with pytest.raises(NotEstimableError, match=message):
        estimate(Proportion(5, 100), Proportion(*sensitivity), Proportion(*specificity))


def test_what_is_no_proportion() -> None:
    for hits, trials in ((0, 0), (3, 2), (-1, 5)):
        with pytest.raises(ValueError, match="is no proportion"):
            Proportion(hits, trials)


def test_the_interval_holds_the_rate_of_a_simulated_line() -> None:
    """Independent of the formula: parts and labels drawn one by one from a known process."""
    random = Random(4)

    def drawn(chance: float, count: int) -> Proportion:
        return Proportion(sum(random.random() < chance for _ in range(count)), count)

    held = 0
    for _ in range(200):
        found = estimate(drawn(0.05 * 0.9 + 0.95 * 0.03, 600), drawn(0.9, 80), drawn(0.97, 200))
        held += found.low <= 0.05 <= found.high
    assert held >= 180
