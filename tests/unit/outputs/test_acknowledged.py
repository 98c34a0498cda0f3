"""What a broker that was killed may have lost."""

from __future__ import annotations

from outputs.drivers.acknowledged import DOUBTED_S, Acknowledged
from outputs.result import Result
from tests.support.line_results import a_result


def results(*sequences: int) -> list[Result]:
    return [a_result(sequence=sequence) for sequence in sequences]


def doubted(kept: Acknowledged) -> list[int]:
    return [one.sequence for one in kept.doubted()]


def test_what_came_within_a_moment_before_the_first_loss_is_doubted() -> None:
    kept = Acknowledged()
    kept.note(results(1), 10.0)
    kept.note(results(2, 3), 11.0)
    kept.note(results(4), 12.5)
    assert doubted(kept) == []  # the connection stands
    kept.lost(11.0 + DOUBTED_S)
    assert doubted(kept) == [2, 3, 4]
    kept.lost(99.0)  # an attempt that failed
    assert doubted(kept) == [2, 3, 4]


def test_what_was_acknowledged_is_noted_when_the_connection_may_be_gone() -> None:
    """Half of a batch was acknowledged: that is known once the other half cannot be any more."""
    kept = Acknowledged()
    kept.note(results(1), 10.0)
    kept.lost(10.5)
    kept.note(results(2, 3), 10.6)
    assert doubted(kept) == [1, 2, 3]


def test_what_is_published_again_is_doubted_once_until_that_is_settled() -> None:
    kept = Acknowledged()
    kept.note(results(1, 2), 10.0)
    kept.lost(10.5)
    kept.lost(11.1)  # while it was published again
    assert doubted(kept) == [1, 2]
    kept.settled(kept.losses, 12.0)
    assert doubted(kept) == []
    kept.lost(12.5)
    assert doubted(kept) == [1, 2]
    kept.settled(kept.losses, 20.0)
    kept.lost(20.0 + DOUBTED_S + 0.1)
    assert doubted(kept) == []


def test_a_loss_before_it_is_settled_leaves_all_in_doubt() -> None:
    kept = Acknowledged()
    kept.note(results(1, 2), 10.0)
    kept.lost(10.5)
    losses = kept.losses
    kept.lost(11.0)  # after the last of them was acknowledged again
    kept.settled(losses, 11.1)
    assert doubted(kept) == [1, 2]


def test_of_very_many_the_last_are_kept() -> None:
    kept = Acknowledged()
    (one,) = results(1)
    kept.note([one] * 6000, 10.0)
    kept.lost(10.0)
    assert len(doubted(kept)) == 5000
