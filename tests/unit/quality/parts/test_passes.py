"""Which pass a picture is of depends on the set of a part's pictures alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quality.parts.passes import Taken, passes

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def at(*seconds: float) -> list[Taken]:
    return [Taken(second, NOON + timedelta(seconds=second)) for second in seconds]


def test_a_gap_begins_a_new_pass() -> None:
    assert passes(at(0, 5, 10, 3600, 3605), gap_s=600) == {0: 1, 5: 1, 10: 1, 3600: 2, 3605: 2}


def test_a_gap_of_exactly_that_length_does_not() -> None:
    assert passes(at(0, 600), gap_s=600) == {0: 1, 600: 1}
    assert passes(at(0, 600.001), gap_s=600) == {0: 1, 600.001: 2}


def test_a_late_picture_joins_two_passes() -> None:
    assert passes(at(0, 1000), gap_s=600) == {0: 1, 1000: 2}
    assert passes(at(0, 1000, 500), gap_s=600) == {0: 1, 500: 1, 1000: 1}


def test_what_a_message_says_holds() -> None:
    said = [Taken("a", NOON, 1), Taken("b", NOON + timedelta(seconds=1), 2)]
    assert passes(said, gap_s=600) == {"a": 1, "b": 2}
    later = [Taken("c", NOON + timedelta(seconds=2)), Taken("d", NOON + timedelta(hours=1))]
    found = passes([*said, *later], gap_s=600)
    assert found == {"a": 1, "b": 2, "c": 2, "d": 3}, "c was taken with b; nobody numbered d's"


def test_what_is_not_numbered_is_of_the_pass_it_was_taken_in() -> None:
    said = Taken("b", NOON + timedelta(seconds=5), 3)
    assert passes([Taken("a", NOON), said], gap_s=600) == {"a": 3, "b": 3}
    before = Taken("z", NOON - timedelta(hours=1))
    assert passes([Taken("a", NOON), said, before], gap_s=600) == {"a": 3, "b": 3, "z": 4}


def test_no_picture_no_pass() -> None:
    assert passes([], gap_s=1) == {}


@pytest.mark.parametrize("gap_s", [0, -1, float("nan")])
def test_a_gap_must_be_one(gap_s: float) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        passes(at(0), gap_s)


@given(st.lists(st.integers(0, 5000), unique=True), st.randoms(use_true_random=False))
def test_the_order_of_arrival_makes_no_difference(seconds: list[int], random: object) -> None:
    shuffled = list(seconds)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    found = passes(at(*shuffled), gap_s=600)
    assert found == passes(at(*seconds), gap_s=600)
    in_order = [found[second] for second in sorted(seconds)]
    assert in_order == sorted(in_order)
    assert set(in_order) == set(range(1, len(set(in_order)) + 1))
