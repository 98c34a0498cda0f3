"""What runs again and again: it survives errors, keeps its delay and stops within a moment."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event

import pytest

from tests.support.waiting import until
from workers.health.periodic_thread import PeriodicThread

AWAY = ConnectionError("connection\nrefused")


def made(action: Callable[[], object], period_s: float = 0.01, **options: bool) -> PeriodicThread:
    return PeriodicThread(
        "test", action, period_s, failed="not done", expected=(ConnectionError,), **options
    )


@pytest.mark.parametrize(
    ("error", "level", "said", "traced"),
    [
        (AWAY, logging.WARNING, "not done: connection refused", False),
        (KeyError("x"), logging.ERROR, "not done", True),
    ],
)
def test_an_error_is_logged_and_the_next_call_comes(
    error: Exception,
    level: int,
    said: str,
    traced: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    calls: list[int] = []

    def action() -> None:
        calls.append(1)
        if len(calls) <= 2:
            raise error

    thread = made(action)
    thread.start()
    until(lambda: len(calls) > 3, 10)
    thread.stop()
    assert [(r.levelno, r.getMessage(), bool(r.exc_info)) for r in caplog.records] == [
        (level, said, traced)
    ] * 2


@pytest.mark.parametrize(("at_once", "calls"), [(False, 0), (True, 1)])
def test_a_delay_ends_when_it_is_told_to_stop(at_once: bool, calls: int) -> None:
    called: list[int] = []
    thread = made(lambda: called.append(1), 60.0, at_once=at_once)
    thread.start()
    until(lambda: len(called) == calls, 10)
    began = time.monotonic()
    thread.stop()
    assert not thread.alive
    assert time.monotonic() - began < 2
    assert len(called) == calls


def test_calls_are_a_fixed_delay_apart_however_long_they_take() -> None:
    """A slow call is not made up for: its next would come at once, on a system that is slow."""
    began: list[float] = []
    ended: list[float] = []

    def action() -> None:
        began.append(time.monotonic())
        time.sleep(0.1)
        ended.append(time.monotonic())

    thread = made(action, 0.05)
    thread.start()
    until(lambda: len(ended) >= 4, 10)
    thread.stop()
    assert all(b - e >= 0.049 for b, e in zip(began[1:], ended, strict=False))


def test_stopping_waits_for_the_call_under_way_but_not_for_ever() -> None:
    begun, go_on, done = Event(), Event(), Event()

    def action() -> None:
        begun.set()
        go_on.wait(30)
        done.set()

    thread = made(action, at_once=True)
    thread.start()
    assert begun.wait(10)
    thread.stop(wait_s=0.05)
    assert thread.stopping
    assert thread.alive, "the call hangs"
    go_on.set()
    thread.stop()
    assert done.is_set()
    assert not thread.alive


def test_an_action_may_stop_its_own_thread(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[int] = []

    def action() -> None:
        calls.append(1)
        thread.stop()

    thread = made(action)
    thread.start()
    until(lambda: not thread.alive, 10)
    assert calls == [1]
    assert not caplog.records, "it waited for itself"


def test_what_was_stopped_before_its_start_does_nothing() -> None:
    calls: list[int] = []
    thread = made(lambda: calls.append(1), at_once=True)
    thread.stop()
    thread.start()
    until(lambda: not thread.alive, 10)
    assert calls == []
