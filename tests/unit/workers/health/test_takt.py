"""Takt alarms, without a clock or a database."""

from __future__ import annotations

from workers.health.takt import Overrun, Recovery, TaktWatch

BUDGETS = {"line-1": 2.0}


def test_one_late_verdict_raises_one_alarm_until_a_period_is_in_time() -> None:
    watch = TaktWatch()
    watch.note("line-1", 0.5)
    assert watch.check(BUDGETS) == []
    watch.note("line-1", 2.5)
    watch.note("line-1", 0.5)
    (overrun,) = watch.check(BUDGETS)
    assert overrun == Overrun("line-1", 2.0, 2.5)
    watch.settled(overrun)
    watch.note("line-1", 9.0)
    assert watch.check(BUDGETS) == []  # it stands already
    watch.note("line-1", 2.0)
    (recovery,) = watch.check(BUDGETS)
    assert recovery == Recovery("line-1")
    watch.settled(recovery)
    assert watch.check(BUDGETS) == []


def test_a_line_that_stands_still_recovers_nothing() -> None:
    watch = TaktWatch(late=["line-1"])
    assert watch.check(BUDGETS) == []


def test_an_alarm_that_was_not_made_known_comes_up_again() -> None:
    watch = TaktWatch()
    for _ in range(2):
        watch.note("line-1", 3.0)
        assert watch.check(BUDGETS) == [Overrun("line-1", 2.0, 3.0)]


def test_a_line_without_a_budget_is_never_late_and_losing_it_ends_the_alarm() -> None:
    watch = TaktWatch(late=["line-1"])
    watch.note("line-2", 1e9)
    assert watch.check({}) == [Recovery("line-1")]
