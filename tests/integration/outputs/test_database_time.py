"""The database's clock, as it is counted on between two questions."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event

from db.clock import database_now
from db.session import reading
from outputs import database_time
from outputs.database_time import DatabaseTime


def test_it_counts_on_and_asks_but_seldom(engine: Engine) -> None:
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *about: asked.append(str(about[2])))
    clock = DatabaseTime(engine)
    first = clock.now()
    count = len(asked)
    time.sleep(0.2)
    second = clock.now()
    assert len(asked) == count
    assert timedelta(seconds=0.2) <= second - first
    with reading(engine) as connection:
        assert abs(database_now(connection) - clock.now()) < timedelta(seconds=1)


def test_it_asks_again(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database's clock that was set is followed."""
    clock = DatabaseTime(engine)
    clock.now()
    monkeypatch.setattr(database_time, "ASK_S", 0.05)
    monkeypatch.setattr(
        database_time, "database_now", lambda _: database_now(_) + timedelta(hours=1)
    )
    time.sleep(0.1)
    with reading(engine) as connection:
        assert clock.now() - database_now(connection) > timedelta(minutes=59)
