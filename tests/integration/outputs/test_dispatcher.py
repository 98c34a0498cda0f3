"""Every verdict reaches every receiver once and in order, whichever dispatcher tells it."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from db.outbox import cursors
from db.session import engine_for, reading, transaction
from outputs import sender
from outputs.owner import place
from producer.contract import Verdict
from tests.support.dispatching import a_drop, a_lot, dispatching, dropped, shown
from tests.support.outbox import committed, now_record, registered
from tests.support.waiting import until


def test_every_verdict_is_told_in_order(engine: Engine, drop: Path) -> None:
    registered(engine, "L1", "files")
    before = a_lot(engine, 20, "A")
    with dispatching(engine, a_drop(drop)):
        after = a_lot(engine, 20, "B")
        until(lambda: len(dropped(drop)) == 40)
    found = dropped(drop)
    assert [one["part"] for one in found] == before + after
    assert [one["sequence"] for one in found] == list(range(1, 41))
    assert not list(drop.glob(".*"))


def test_what_was_committed_while_nobody_ran_is_told_once(engine: Engine, drop: Path) -> None:
    with dispatching(engine, a_drop(drop)):
        first = a_lot(engine, 5, "A")
        until(lambda: len(dropped(drop)) == 5)
    second = a_lot(engine, 5, "B")
    with dispatching(engine, a_drop(drop)):
        until(lambda: len(dropped(drop)) == 10)
    assert [one["part"] for one in dropped(drop)] == first + second


def test_a_csv_has_a_column_for_each_field(engine: Engine, drop: Path) -> None:
    with dispatching(engine, a_drop(drop, format="csv")):
        committed(engine, now_record(part="=1+1", verdict=Verdict.DEFECT, defect_class="bent_wire"))
        until(lambda: bool(list(drop.glob("*.csv"))))
    (row,) = csv.DictReader(next(drop.glob("*.csv")).open(newline=""))
    assert (row["part"], row["result"], row["classes"], row["passes"]) == (
        *("'=1+1", "ng", "bent_wire", "false"),
    )


def test_pictures_where_the_receiver_wants_pictures(engine: Engine, drop: Path) -> None:
    with dispatching(engine, a_drop(drop, level="picture")):
        committed(engine, *(now_record(part="P-1", camera=f"C{n}") for n in range(3)))
        until(lambda: len(dropped(drop)) == 3)
    assert {one["camera"] for one in dropped(drop)} == {"C0", "C1", "C2"}


def test_two_dispatchers_tell_it_once(engine: Engine, drop: Path) -> None:
    with dispatching(engine, a_drop(drop, most=3)), dispatching(engine, a_drop(drop, most=3)):
        parts = a_lot(engine, 40)
        until(lambda: len(dropped(drop)) == 40)
    assert [one["part"] for one in dropped(drop)] == parts


def test_the_standby_goes_on_where_the_first_one_ended(engine: Engine, drop: Path) -> None:
    with dispatching(engine, a_drop(drop)) as standby:
        with dispatching(engine, a_drop(drop)):
            until(lambda: shown(engine)["state"] == "told")
        parts = a_lot(engine, 10)
        until(lambda: len(dropped(drop)) == 10)
        assert standby is not None
    assert [one["part"] for one in dropped(drop)] == parts


def test_a_dispatcher_whose_process_died_is_not_waited_for(engine: Engine, drop: Path) -> None:
    registered(engine, "L1", "files")
    dead = f"{place()}:{_dead_pid()}:x"
    with transaction(engine) as connection:
        assert cursors.take(connection, "L1", "files", dead) is not None
    a_lot(engine, 1)
    with dispatching(engine, a_drop(drop)):
        until(lambda: len(dropped(drop)) == 1, cursors.LEASE.total_seconds() / 2)


def _dead_pid() -> int:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return pid


def test_sessions_that_the_server_ends_are_opened_again(
    postgresql_url: str, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "IDLE_S", 60.0)  # nobody looks by himself
    engine = engine_for(postgresql_url)
    others = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with dispatching(engine, a_drop(drop)):
        parts = a_lot(engine, 5, "A")
        until(lambda: len(dropped(drop)) == 5)
        with reading(engine) as connection:
            connection.execute(others)
        parts += a_lot(engine, 5, "B")
        until(lambda: {one["part"] for one in dropped(drop)} == set(parts))
        parts += a_lot(engine, 1, "C")
        until(lambda: parts[-1] in {one["part"] for one in dropped(drop)}, 30)
    assert list(dict.fromkeys(one["part"] for one in dropped(drop))) == parts


def test_figures_of_a_receiver(engine: Engine, drop: Path) -> None:
    with dispatching(engine, a_drop(drop)):
        a_lot(engine, 10)
        until(lambda: shown(engine)["gate_p99_ms"] is not None)
    row = shown(engine)
    assert 10 <= float(row["gate_p50_ms"]) <= float(row["gate_p99_ms"])
    assert row["late_share"] == 0
    assert row["backlog"] == 0
