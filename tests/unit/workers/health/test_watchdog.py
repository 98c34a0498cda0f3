"""The watchdog, with a clock that the test moves."""

from __future__ import annotations

from dataclasses import replace

from workers.health.watchdog import Vitals, Watchdog

IDLE = Vitals(waiting=0, received=5, in_flight=0, finished=9, holding=False)


def test_an_idle_worker_is_well_for_ever() -> None:
    watchdog = Watchdog(30)
    assert all(watchdog.complaint(IDLE, now) is None for now in range(0, 1000, 10))


def test_messages_that_nobody_takes_are_noticed() -> None:
    watchdog = Watchdog(30)
    deaf = replace(IDLE, waiting=3)
    assert watchdog.complaint(deaf, 0) is None
    assert watchdog.complaint(deaf, 29) is None
    assert watchdog.complaint(deaf, 31) == "3 messages wait and none was received"


def test_pictures_that_never_finish_are_noticed() -> None:
    watchdog = Watchdog(30)
    stuck = replace(IDLE, in_flight=2)
    watchdog.complaint(stuck, 0)
    assert "2 pictures are in flight" in (watchdog.complaint(stuck, 31) or "")


def test_progress_resets_the_patience() -> None:
    watchdog = Watchdog(30)
    busy = replace(IDLE, in_flight=2, waiting=100)
    assert watchdog.complaint(busy, 0) is None
    assert watchdog.complaint(replace(busy, finished=10), 29) is None
    assert watchdog.complaint(replace(busy, finished=10), 58) is None
    assert watchdog.complaint(replace(busy, finished=10), 60) is not None


def test_holding_for_a_database_is_not_a_hang() -> None:
    watchdog = Watchdog(30)
    held = replace(IDLE, in_flight=64, waiting=1000, holding=True)
    assert all(watchdog.complaint(held, now) is None for now in range(0, 600, 10))


def test_messages_held_without_work_are_noticed() -> None:
    """Nothing waits and nothing is in flight: such a worker looks idle, and takes nothing."""
    watchdog = Watchdog(30)
    leaked = replace(IDLE, without_work=32)
    assert watchdog.complaint(leaked, 0) is None
    assert watchdog.complaint(leaked, 31) == "32 messages are held without work and no task began"
    assert watchdog.complaint(replace(leaked, received=6), 32) is None
