"""The way from a label to a promoted model goes through few packages."""

from __future__ import annotations

from benchmarks.trips import label_to_promotion, without_repeats

MOST_CHANGES = 47  # 45 in a process of its own; what a cache holds already is entered less or more


def test_from_a_label_to_a_promoted_model() -> None:
    """Read, compute, write: who adds a step back sees it here; `python -m benchmarks.trips`."""
    trip = label_to_promotion()
    assert {"training/promotion.py", "db/models/deployments.py"} <= trip.files
    assert trip.changes <= MOST_CHANGES, "\n".join(trip.way)


def test_a_loop_counts_once() -> None:
    assert without_repeats("abcbcbcd") == list("abcd")
    assert without_repeats("aabab") == list("ab")
    assert without_repeats("abcab") == list("abcab")
