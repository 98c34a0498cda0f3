"""However many workers find the same at one moment, one alert of it stands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine

from db import alerts
from db.alerting import seen_to
from db.alerting.conditions import Condition, settle
from tests.support.committed import committed
from tests.support.interleaving import meanwhile

Raise = Callable[[Connection], object]


def in_these_words(connection: Connection) -> int:
    return alerts.raise_alert(
        connection, kind="model_refused", severity="critical", message="m" * 2000
    )


def of_a_line(connection: Connection) -> None:
    alerts.raise_once(connection, line="L1", kind="takt", message="late")


def of_a_condition(connection: Connection) -> list[int]:
    found = [Condition("queue_age", "warning", "old")]
    return settle(connection, ["queue_age"], found, lasts=timedelta(minutes=5))


@pytest.mark.parametrize("raise_", [in_these_words, of_a_line, of_a_condition])
def test_two_that_raise_it_at_once_raise_one(engine: Engine, raise_: Raise) -> None:
    with meanwhile(engine, "INSERT INTO alerts", lambda: committed(engine, raise_), waits=True):
        committed(engine, raise_)
    (one,) = seen_to.read(engine, state="all").alerts
    assert one.state == "open"


@pytest.mark.parametrize("raise_", [in_these_words, of_a_line, of_a_condition])
def test_one_that_waits_for_the_other_raises_none(engine: Engine, raise_: Raise) -> None:
    """The second has looked, and finds the first's when it writes."""
    if engine.dialect.name == "sqlite":
        pytest.skip("a second writer waits before it looks")
    with meanwhile(engine, "INSERT INTO alerts", lambda: committed(engine, raise_)):
        committed(engine, raise_)
    (one,) = seen_to.read(engine, state="all").alerts
    assert one.state == "open"


def test_what_an_earlier_version_raised_is_not_raised_again(engine: Engine) -> None:
    first = committed(engine, in_these_words)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alerts SET digest = NULL")
    assert committed(engine, in_these_words) == first


def test_one_that_is_over_hinders_none(engine: Engine) -> None:
    first = committed(engine, in_these_words)
    assert committed(engine, alerts.resolve_one, first)
    second = committed(engine, in_these_words)
    assert committed(engine, in_these_words) == second != first
    assert [one.id for one in alerts.open_alerts(engine)] == [second]
