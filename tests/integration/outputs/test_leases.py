"""One dispatcher tells a receiver at a time; what it knows of its row is a second old at most."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from db.outbox import cursors, facts
from db.session import reading, transaction
from outputs import dispatcher, lease
from outputs.absence import Absence
from outputs.drivers.drop_options import DropOptions
from outputs.errors import ReceiverAwayError
from outputs.lease import Lease
from outputs.owner import Owner, place
from outputs.stoppable_thread import StoppableThread
from tests.support.dispatching import a_drop, dispatching, shown, words
from tests.support.outbox import committed, now_record, registered
from tests.support.waiting import until


def a_lease(engine: Engine, owner: Owner | None = None) -> Lease:
    return Lease(engine, owner or Owner(), "L1", "gate", partial(reading, engine))


def paused(engine: Engine, by: str | None) -> None:
    with transaction(engine) as connection:
        assert cursors.pause(connection, "L1", "gate", by)


def renewed(engine: Engine, owner: Owner) -> None:
    with transaction(engine) as connection:
        cursors.renew(connection, owner.name)


def run_out(engine: Engine) -> None:
    with transaction(engine) as connection:
        connection.execute(text("UPDATE outbox_cursors SET lease_until = '2026-01-01 00:00:00'"))


def test_it_is_taken_once_and_another_s_is_not(engine: Engine) -> None:
    registered(engine, "L1")
    mine, other = a_lease(engine), a_lease(engine)
    assert mine.cursor() is not None
    assert other.cursor() is None
    run_out(engine)
    assert other.cursor() is not None


def test_the_row_is_looked_at_each_second(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    registered(engine, "L1")
    mine = a_lease(engine)
    before = mine.cursor()
    paused(engine, "ann")
    assert mine.cursor() is before
    monkeypatch.setattr(lease, "LOOK_S", 0.0)
    after = mine.cursor()
    assert after is not None
    assert after.paused_by == "ann"


def test_a_lease_that_another_took_is_seen_to_be_lost(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(engine, "L1")
    mine, other = a_lease(engine), a_lease(engine)
    cursor = mine.cursor()
    assert cursor is not None
    run_out(engine)
    assert other.cursor() is not None
    with transaction(engine) as connection:
        assert not mine.move(connection, cursor, 5, cursor.moved_at)
    monkeypatch.setattr(lease, "LOOK_S", 0.0)
    assert mine.cursor() is None


def test_what_was_moved_is_known_without_a_look_and_forgotten_on_demand(engine: Engine) -> None:
    registered(engine, "L1")
    mine = a_lease(engine)
    cursor = mine.cursor()
    assert cursor is not None
    with transaction(engine) as connection:
        assert mine.move(connection, cursor, 5, cursor.moved_at)
        assert not mine.move(connection, cursor, 6, cursor.moved_at), "it is not there any more"
    mine.moved(5)
    known = mine.cursor()
    assert known is not None
    assert known.told == 5
    mine.moved(7)  # of which the database knows nothing
    mine.forget()
    again = mine.cursor()
    assert again is not None
    assert again.told == 5


def test_a_renewed_lease_is_kept(engine: Engine) -> None:
    registered(engine, "L1")
    owner = Owner()
    mine, other = a_lease(engine, owner), a_lease(engine)
    assert mine.cursor() is not None
    run_out(engine)
    renewed(engine, owner)
    assert other.cursor() is None


def test_a_process_number_of_another_place_names_nobody_here(engine: Engine) -> None:
    """Two containers on one host's network have one name, and each has a process 1."""
    command = [sys.executable, "-c", "from outputs.owner import place; print(place())"]
    apart = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]
    found = subprocess.run([*apart, *command], capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip(f"no other space of process numbers can be made: {found.stderr:.200}")
    elsewhere = found.stdout.strip()
    assert elsewhere != place()
    with subprocess.Popen(["true"]) as ended:
        pass
    registered(engine, "L1", "here", "there")
    owners = {"here": f"{place()}:{ended.pid}:x", "there": f"{elsewhere}:{ended.pid}:x"}
    with transaction(engine) as connection:
        for receiver, owner in owners.items():
            assert cursors.take(connection, "L1", receiver, owner) is not None
        assert Owner().gone(connection) == {owners["here"]}


def test_leases_are_renewed_until_what_is_being_told_is_told(
    engine: Engine, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A receiver may be slower than a lease is long when the dispatcher is stopped."""
    monkeypatch.setattr(dispatcher, "RENEW_S", 0.05)
    with dispatching(engine, a_drop(drop)) as running:
        until(lambda: shown(engine)["state"] == "told")
        going_on = Event()
        slow = running._parts[0]
        join = slow.join
        monkeypatch.setattr(slow, "join", lambda _s: going_on.wait(10) and join(10))
        stopping = _Stop(running)
        stopping.start()
        run_out(engine)
        until(lambda: shown(engine)["state"] == "told")
        going_on.set()
        stopping.join(10)
    assert shown(engine)["state"] != "told"


class _Stop(StoppableThread):
    def __init__(self, running: dispatcher.Dispatcher) -> None:
        self._running = running
        super().__init__("stop")

    def _run(self) -> None:
        self._running.stop()
        self._stopping.set()


def test_a_line_s_clock_goes_on_after_what_nobody_foresaw(
    engine: Engine, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it no gate is told of a part whose views do not come."""
    right, broken = facts.incomplete, Event()

    def once(*given: Any) -> Any:
        if not broken.is_set():
            broken.set()
            raise RuntimeError("nobody foresaw this")
        return right(*given)

    monkeypatch.setattr(facts, "incomplete", once)
    with dispatching(engine, a_drop(drop), deadline_s=0.2):
        committed(engine, now_record(part="P-1", camera="C1", views=["C1", "C2"]))
        until(lambda: words("P-1", drop) == ["no_verdict"])
    assert broken.is_set()


def test_since_when_a_receiver_is_away_is_noted_though_the_database_was_away_first(
    engine: Engine, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(engine, "L1", "files")
    options = DropOptions(name="files", kind="drop", folder="/srv")
    absence = Absence(engine, "L1", options)
    with monkeypatch.context() as patched:
        patched.setattr("outputs.absence.transaction", _refused)
        absence.failed(ReceiverAwayError("no such folder"))
    assert shown(engine)["away_s"] is None
    absence.failed(ReceiverAwayError("still no such folder"))
    assert shown(engine)["away_s"] == 0
    absence.over()
    assert shown(engine)["away_s"] is None


def _refused(_engine: Engine) -> object:
    raise OperationalError("BEGIN", {}, OSError("away"))
