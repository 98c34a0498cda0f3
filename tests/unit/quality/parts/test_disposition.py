"""The worst view decides; a person's latest word stands above it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quality.parts.disposition import (
    By,
    Decision,
    Disposition,
    Outcome,
    View,
    Why,
    by_views,
    disposed,
)

GOOD = View("top")
BROKEN = View("side", defect="broken")
UNSURE = View("side", decided=False)
CORRUPT = View("side", decided=False, rejected=True)
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SIDES = ("top", "side")


def opened(why: Why) -> Outcome:
    return Outcome(Disposition.OPEN, By.NOBODY, why=why)


@pytest.mark.parametrize(
    ("views", "expected", "outcome"),
    [
        ([GOOD], (), Outcome(Disposition.CONFORMING, By.MODEL)),
        ([GOOD, View("side")], SIDES, Outcome(Disposition.CONFORMING, By.MODEL)),
        ([GOOD, BROKEN], SIDES, Outcome(Disposition.NONCONFORMING, By.MODEL, ("broken",))),
        ([UNSURE, BROKEN], (), Outcome(Disposition.NONCONFORMING, By.MODEL, ("broken",))),
        ([BROKEN], SIDES, Outcome(Disposition.NONCONFORMING, By.MODEL, ("broken",))),
        (
            [BROKEN, View("top", defect="bent"), BROKEN],
            (),
            Outcome(Disposition.NONCONFORMING, By.MODEL, ("bent", "broken")),
        ),
        ([GOOD, UNSURE], SIDES, opened(Why.REVIEW)),
        ([GOOD, CORRUPT], SIDES, opened(Why.REJECTED)),
        ([UNSURE, CORRUPT], (), opened(Why.REVIEW)),
        ([GOOD], SIDES, opened(Why.INCOMPLETE)),
        ([GOOD, GOOD], SIDES, opened(Why.INCOMPLETE)),
        ([UNSURE], SIDES, opened(Why.REVIEW)),
        ([], (), opened(Why.INCOMPLETE)),
    ],
)
def test_the_worst_view_decides(
    views: list[View], expected: tuple[str, ...], outcome: Outcome
) -> None:
    assert by_views(views, expected=expected) == outcome
    assert by_views(views[::-1], expected=expected) == outcome
    assert disposed(views, expected=expected) == outcome


def test_people_decided_where_the_part_rests_on_their_words() -> None:
    seen = View("side", defect="bent", by_person=True)
    cleared = View("side", by_person=True)
    assert by_views([GOOD, seen]).by is By.PERSON
    assert by_views([GOOD, cleared]).by is By.PERSON
    assert by_views([BROKEN, cleared]).by is By.MODEL, "the defect is the model's alone"
    assert by_views([UNSURE, cleared]).by is By.NOBODY


def test_the_latest_decision_stands_above_every_view() -> None:
    early, late = (
        Decision(None, NOON - timedelta(hours=1)),
        Decision("bent", NOON),
    )
    bent = Outcome(Disposition.NONCONFORMING, By.PERSON, ("bent",))
    assert disposed([GOOD], decisions=[early, late]) == bent
    assert disposed([GOOD], decisions=[late, early]) == bent, "whatever order they arrive in"
    good = Outcome(Disposition.CONFORMING, By.PERSON)
    assert disposed([BROKEN], decisions=[early]) == good
    assert disposed([], decisions=[early]) == good, "the pictures may be purged"


def test_of_two_decisions_of_one_moment_the_later_stored_counts() -> None:
    first, second = Decision("bent", NOON, 1), Decision(None, NOON, 2)
    for order in ([first, second], [second, first]):
        assert disposed([BROKEN], decisions=order).disposition is Disposition.CONFORMING


VIEWS = st.lists(st.sampled_from([GOOD, BROKEN, UNSURE, CORRUPT, View("rear")]), max_size=5)
RANK = {Disposition.CONFORMING: 0, Disposition.OPEN: 1, Disposition.NONCONFORMING: 2}


@given(VIEWS, st.sampled_from([GOOD, BROKEN, UNSURE, CORRUPT]))
def test_another_view_that_nobody_waits_for_makes_no_part_better(
    views: list[View], more: View
) -> None:
    if views:
        before, after = by_views(views), by_views([*views, more])
        assert RANK[after.disposition] >= RANK[before.disposition]
