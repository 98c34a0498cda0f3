"""What senders name, remembered within bounds."""

from __future__ import annotations

from workers.broker import deliveries
from workers.broker.deliveries import Deliveries
from workers.broker.recent import Recent


def test_of_more_the_oldest_are_forgotten() -> None:
    recent = Recent(2)
    for text in ("a", "b", "a", "c"):
        recent.add(text)
    assert ["a" in recent, "b" in recent, "c" in recent, len(recent)] == [True, False, True, 2]
    recent.discard("a")
    recent.discard("a")
    assert ("a" in recent, len(recent)) == (False, 1)


def test_messages_that_break_their_delivery_do_not_grow_the_worker() -> None:
    held = Deliveries()
    for number in range(2 * deliveries._MOST_BLAMED):
        held.taken(f"tag-{number}")
        held.blame(f"tag-{number}")
        held.settled(f"tag-{number}")  # it is a dead letter
    assert len(held._blamed) == deliveries._MOST_BLAMED
    assert not held.blameless(f"tag-{number}")


def test_messages_given_back_at_each_lost_connection_do_not_grow_the_worker() -> None:
    held = Deliveries()
    for number in range(2 * deliveries._MOST_HANDED_BACK + 1):
        held.hand_back(f"tag-{number}")
    assert len(held._handed_back) == deliveries._MOST_HANDED_BACK
    assert [held.handed_back(f"tag-{number}"), held.handed_back("tag-1")] == [True, False]
