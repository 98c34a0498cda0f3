"""From the pictures of one serial number to its passes."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from quality.parts.disposition import By, Decision, Disposition, View
from quality.parts.parts import PASS_GAP_S, PassKey, Picture, Said, part_passes, production_time

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
GOOD, BENT, OPEN = View("top"), View("top", defect="bent"), View("top", decided=False)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def taken(id_: str, seconds: float, view: View = GOOD, **more: Any) -> Picture:
    return Picture(id=id_, made_at=at(seconds), by_receipt=False, view=view, **more)


def said(defect: str | None, seconds: float, number: int | None = None, order: int = 0) -> Said:
    return Said(Decision(defect, at(seconds), order), number)


@pytest.mark.parametrize(
    ("captured", "counts_at", "by_receipt"),
    [
        (None, 0, True),
        (0, 0, False),
        (300, 300, False),
        (300.001, 0, True),
        (-31 * 86400, -31 * 86400, False),
        (-31 * 86400 - 0.001, 0, True),
    ],
)
def test_a_clock_is_believed_within_its_limits(
    captured: float | None, counts_at: float, by_receipt: bool
) -> None:
    captured_at = None if captured is None else at(captured)
    assert production_time(captured_at, NOON) == (at(counts_at), by_receipt)


def test_words_are_those_of_the_first_picture_and_the_model_of_the_first_that_has_one() -> None:
    pictures = [
        taken("z", 9, BENT, line="L2", lot="B", work_order="V", model_version="m-2"),
        Picture("b", NOON, True, OPEN, line="L1", lot="A", work_order="W"),
        taken("y", 5, GOOD, line="L3", model_version="m-1"),
    ]
    ((key, part),) = part_passes(pictures).items()
    assert key == PassKey("", 1)
    assert (part.line, part.lot, part.work_order, part.model_version) == ("L1", "A", "W", "m-1")
    assert (part.made_at, part.last_at, part.views, part.by_receipt) == (NOON, at(9), 3, True)
    assert (part.outcome.disposition, part.outcome.classes) == (
        Disposition.NONCONFORMING,
        ("bent",),
    )
    assert part.model == part.outcome


def test_no_model_had_a_word() -> None:
    (part,) = part_passes([taken("a", 0)]).values()
    assert (part.model_version, part.views) == ("", 1)
    assert part_passes([]) == {}


def test_of_one_moment_the_ids_say_which_is_first() -> None:
    pictures = [taken("b", 0, line="L2"), taken("a", 0, line="L1")]
    (part,) = part_passes(pictures).values()
    assert part.line == "L1"


def test_a_gap_makes_another_pass() -> None:
    together = part_passes([taken("a", 0), taken("b", PASS_GAP_S)])
    assert [part.views for part in together.values()] == [2]
    apart = part_passes([taken("a", 0), taken("b", PASS_GAP_S + 1)])
    assert list(apart) == [PassKey("", 1), PassKey("", 2)]
    short = part_passes([taken("a", 0), taken("b", 11)], gap_s=10)
    assert list(short) == [PassKey("", 1), PassKey("", 2)]


def test_scopes_are_parts_of_their_own() -> None:
    pictures = [taken("a", 0, BENT, scope="A"), taken("b", 1, scope="B"), taken("c", 2, scope="A")]
    found = part_passes(pictures)
    assert {key: part.views for key, part in found.items()} == {
        PassKey("A", 1): 2,
        PassKey("B", 1): 1,
    }
    assert found[PassKey("B", 1)].outcome.disposition is Disposition.CONFORMING


def test_views_that_any_picture_expects_must_be_there() -> None:
    pictures = [taken("a", 0, expected=("top",)), taken("b", 1, expected=("side",))]
    (part,) = part_passes(pictures).values()
    assert part.outcome.disposition is part.model.disposition is Disposition.OPEN
    pictures.append(taken("c", 2, View("side")))
    (part,) = part_passes(pictures).values()
    assert part.outcome.disposition is part.model.disposition is Disposition.CONFORMING


def test_a_label_stands_in_the_place_of_its_view_but_not_of_the_models() -> None:
    right = View("top", by_person=True)
    (part,) = part_passes([taken("a", 0, BENT, labelled=right)]).values()
    assert (part.outcome.disposition, part.outcome.by) == (Disposition.CONFORMING, By.PERSON)
    assert (part.model.disposition, part.model.by) == (Disposition.NONCONFORMING, By.MODEL)


@pytest.mark.parametrize(
    ("decision", "decided"),
    [
        (said("burnt", 5000), 2),  # the second pass had begun
        (said("burnt", 4000), 2),  # just then
        (said("burnt", 3999), 1),
        (said("burnt", 0), 1),
        (said("burnt", -1), 1),  # before any: the first
        (said("burnt", 5000, 1), 1),
        (said("burnt", -1, 2), 2),
        (said("burnt", 5000, 3), None),
    ],
)
def test_a_decision_is_on_the_pass_that_had_begun_or_is_named(
    decision: Said, decided: int | None
) -> None:
    found = part_passes([taken("a", 0), taken("b", 4000)], [decision])
    by_person = [key.pass_number for key, part in found.items() if part.outcome.by is By.PERSON]
    assert by_person == ([] if decided is None else [decided])
    assert all(part.model.by is By.MODEL for part in found.values())


def test_a_decision_on_a_number_that_several_scopes_have() -> None:
    pictures = [taken("a", 0, scope="A"), taken("b", 100, scope="B")]
    late = part_passes(pictures, [said("bent", 200, 1)])
    assert late[PassKey("B", 1)].outcome.by is By.PERSON
    assert late[PassKey("A", 1)].outcome.by is By.MODEL
    early = part_passes(pictures, [said("bent", 50, 1)])
    assert early[PassKey("A", 1)].outcome.by is By.PERSON


def test_the_latest_decision_counts_in_whatever_order() -> None:
    decisions = [said("bent", 20), said(None, 30), said("burnt", 30, order=1), said("bent", 10)]
    for _ in range(5):
        random.Random(_).shuffle(decisions)
        (part,) = part_passes([taken("a", 0)], decisions).values()
        assert part.outcome.classes == ("burnt",)
    assert part_passes([], decisions) == {}
