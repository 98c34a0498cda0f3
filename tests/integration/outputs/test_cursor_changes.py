"""What people change about a receiver, and what a purge takes from it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from db.outbox import cursors, facts
from db.outbox.purge import purge_outbox, purge_told
from db.session import engine_for, reading, transaction
from tests.support.dispatching import a_drop, a_lot, dispatching, dropped, shown
from tests.support.outbox import registered
from tests.support.waiting import until


def test_a_paused_receiver_is_told_nothing_until_it_is_resumed(engine: Engine, drop: Path) -> None:
    def pause(by: str | None) -> None:
        with transaction(engine) as connection:
            assert cursors.pause(connection, "L1", "files", by)

    with dispatching(engine, a_drop(drop)):
        a_lot(engine, 3, "A")
        until(lambda: len(dropped(drop)) == 3)
        pause("anna")
        until(lambda: shown(engine)["state"] == "paused by anna")
        _wait_for_a_look()
        a_lot(engine, 3, "B")
        _wait_for_a_look()
        assert len(dropped(drop)) == 3
        assert shown(engine)["backlog"] == 3
        pause(None)
        until(lambda: len(dropped(drop)) == 6)


def _wait_for_a_look() -> None:
    time.sleep(1.3)  # it looks at its row every second


def test_what_is_replayed_has_the_same_ids(engine: Engine, drop: Path) -> None:
    with dispatching(engine, a_drop(drop, most=1)):
        a_lot(engine, 10)
        until(lambda: len(dropped(drop)) == 10)
        first = dropped(drop)
        for path in drop.glob("*.jsonl"):  # and no file that the dispatcher tries the folder with
            path.unlink()
        with transaction(engine) as connection:
            assert cursors.replay(connection, "L1", "files", 4)
        until(lambda: len(dropped(drop)) == 6)
    assert dropped(drop) == first[4:]


def test_what_was_purged_is_passed_over_and_said(
    sqlite_url: str, drop: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = engine_for(sqlite_url)
    registered(engine, "L1", "files")
    a_lot(engine, 7, "A")
    now = datetime.now(UTC)
    last = a_lot(engine, 7, "B")
    with transaction(engine) as connection:
        assert purge_outbox(connection, now, now, 500) == 1
    with dispatching(engine, a_drop(drop)):
        until(lambda: len(dropped(drop)) == 7)
    assert [one["part"] for one in dropped(drop)] == last
    assert "7 results were purged" in caplog.text


def test_a_line_whose_last_receiver_was_forgotten_goes_on_where_it_was(
    database_url: str, drop: Path
) -> None:
    """Receivers know a repeat by its number, and no commit may meet a number that is taken."""
    engine = engine_for(database_url)
    with dispatching(engine, a_drop(drop)):
        a_lot(engine, 7, "A")
        until(lambda: len(dropped(drop)) == 7)
    with transaction(engine) as connection:
        assert cursors.forget(connection, "L1", "files")
        assert not facts.told(connection, "L1", "files", [("cable", "A0000")])
    a_lot(engine, 7, "unheard")
    later = datetime.now(UTC) + timedelta(days=1)
    with transaction(engine) as connection:
        purge_outbox(connection, later, later, 500)
    registered(engine, "L1", "files")
    parts = a_lot(engine, 7, "B")
    with dispatching(engine, a_drop(drop)):
        until(lambda: len(dropped(drop)) == 14)
    found = dropped(drop)
    assert [one["part"] for one in found[7:]] == parts
    numbers = [one["sequence"] for one in found]
    assert numbers == sorted(set(numbers)) == list(range(1, 15))


def test_told_parts_are_purged_with_the_outbox(engine: Engine, drop: Path) -> None:
    with dispatching(engine, a_drop(drop)):
        a_lot(engine, 5)
        until(lambda: len(dropped(drop)) == 5)
    later = datetime.now(UTC) + timedelta(seconds=5)
    with transaction(engine) as connection:
        assert purge_told(connection, later, 3) == 3
        assert purge_told(connection, later, 3) == 2
    with reading(engine) as connection:
        assert facts.told(connection, "L1", "files", [("cable", "P0000")]) == {}
