"""The order in which people see parts: useful first, twins late, drawn ones hidden among others."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from quality.parts.review_order import Candidate, mixed, useful_order


def a_part(
    open_in_lot: int = 10, *, novel: bool = False, sure: float = 0.9, at: float | None = None
) -> Candidate:
    """A candidate whose features point `at` degrees."""
    turn = None if at is None else np.deg2rad(at)
    vector = None if turn is None else np.array([np.cos(turn), np.sin(turn)])
    return Candidate(open_in_lot, novel, sure, vector)


def test_the_last_of_a_lot_then_the_novel_then_the_uncertain_come_first() -> None:
    usual, unsure, novel, last_of_lot = (
        a_part(),
        a_part(sure=0.4),
        a_part(novel=True),
        a_part(open_in_lot=1),
    )
    assert useful_order([usual, unsure, novel, last_of_lot], 4) == [3, 2, 1, 0]
    assert useful_order([usual, unsure, novel, last_of_lot], 0) == [3, 2, 1, 0]


def test_near_twins_come_after_parts_that_show_something_else() -> None:
    twins = [a_part(novel=True, at=angle) for angle in (0.0, 0.1, 0.2)]
    other = a_part(at=60.0)
    assert useful_order([*twins, other], 4)[:2] == [0, 3]


def test_parts_without_features_are_not_held_back() -> None:
    first, twin, bare, other = a_part(novel=True, at=0.0), a_part(at=0.1), a_part(), a_part(at=60.0)
    assert useful_order([first, twin, bare, other], 4) == [0, 2, 3, 1]
    assert useful_order([], 5) == []


def test_drawn_parts_lie_among_the_others_in_both_orders() -> None:
    waiting, drawn = [f"w{n}" for n in range(40)], [f"d{n}" for n in range(10)]
    found = mixed(waiting, drawn, seed="x")
    assert [one for one in found if one[0] == "w"] == waiting
    assert [one for one in found if one[0] == "d"] == drawn
    places = [place for place, one in enumerate(found) if one[0] == "d"]
    assert len({b - a for a, b in pairwise(places)}) > 1  # no fixed beat
    assert found == mixed(waiting, drawn, seed="x") != mixed(waiting, drawn, seed="y")


def test_a_long_sample_does_not_push_open_parts_back() -> None:
    found = mixed([1] * 20, [0] * 200, seed="x")
    assert sum(found[:20]) >= 5
    assert mixed([], [0], seed="x") == [0]
    assert mixed([1], [], seed="x") == [1]
