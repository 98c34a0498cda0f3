"""Which messages are held for nothing: with a clock that the test moves."""

from __future__ import annotations

from workers.broker.deliveries import GRACE_S, Deliveries

PLACES = 2


def pass_time(deliveries: Deliveries, start: float, seconds: float) -> float:
    """Look each second."""
    for now in range(int(seconds) + 1):
        deliveries.look(start + now, PLACES)
    return start + seconds


def test_a_message_that_becomes_no_task_is_stuck() -> None:
    deliveries = Deliveries()
    now = pass_time(deliveries, 100, 1)
    deliveries.taken("a")
    now = pass_time(deliveries, now, 9)
    assert (deliveries.stuck(10), deliveries.load().without_work) == ([], 1)
    pass_time(deliveries, now, 1)
    assert deliveries.stuck(10) == ["a"]


def test_one_that_became_a_task_or_is_settled_is_not() -> None:
    deliveries = Deliveries()
    for tag in ("task", "acknowledged, parked or buried"):
        deliveries.taken(tag)
    deliveries.begun("task")  # a long batch on a slow CPU, or a share that hangs
    deliveries.settled("acknowledged, parked or buried")
    pass_time(deliveries, 0, 1000)
    assert (deliveries.stuck(10), deliveries.load().without_work) == ([], 0)
    deliveries.ended("task")
    load = deliveries.load()
    assert (load.running, load.begun, load.ended) == (0, 1, 1)


def test_one_may_wait_while_every_place_is_taken() -> None:
    deliveries = Deliveries()
    for tag in ("x", "y"):
        deliveries.taken(tag)
        deliveries.begun(tag)
    deliveries.taken("waits")
    now = pass_time(deliveries, 0, 1000)
    assert deliveries.stuck(10) == []
    deliveries.ended("x")
    pass_time(deliveries, now, 11)
    assert deliveries.stuck(10) == ["waits"]


def test_a_worker_that_was_stopped_has_not_held_anything_for_long() -> None:
    deliveries = Deliveries()
    deliveries.look(0, PLACES)
    deliveries.taken("a")
    deliveries.look(3600, PLACES)
    assert deliveries.stuck(10) == []


def test_what_was_let_go_counts_until_a_task_begins() -> None:
    deliveries = Deliveries()
    deliveries.taken("a")
    pass_time(deliveries, 0, 20)
    for _ in range(2):
        deliveries.let_go("a")
    assert (deliveries.stuck(10), deliveries.load().without_work) == ([], 1)
    deliveries.begun("b")
    assert deliveries.load().without_work == 0


def test_who_is_blamed_when_a_worker_gives_messages_back() -> None:
    deliveries = Deliveries()
    for tag in ("broke it", "stuck", "task"):
        deliveries.taken(tag)
    deliveries.begun("task")
    deliveries.blame("broke it")
    pass_time(deliveries, 0, GRACE_S)
    deliveries.taken("new")
    names = ("broke it", "stuck", "task", "new")
    assert [name for name in names if deliveries.blameless(name)] == ["task", "new"]
    deliveries.crashed = True
    assert [name for name in names if deliveries.blameless(name)] == ["task"]
