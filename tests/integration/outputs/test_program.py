"""`linewatch outputs`, as people and service managers run it; killed again and again."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from db import audit
from db.outbox import cursors
from db.session import engine_for, reading
from linewatch.cli import cli
from linewatch.settings import Settings
from outputs.status import receivers_shown
from tests.support.dispatching import a_broker, a_drop, a_lot, assert_in_order, dispatching, dropped
from tests.support.mosquitto import Listener, Mosquitto
from tests.support.outbox import committed, now_record, registered
from tests.support.waiting import until, until_counted

AHEAD = 100  # parts


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["outputs", *arguments])


@pytest.mark.line
@pytest.mark.parametrize(
    "kills", [2, pytest.param(50, marks=[pytest.mark.slow, pytest.mark.timeout(7200)])]
)
def test_killed_again_and_again_it_tells_everything_in_order(
    settings: Settings,
    write: Callable[..., Path],
    program: Callable[[], subprocess.Popen[bytes]],
    tmp_path: Path,
    kills: int,
) -> None:
    engine = engine_for(settings.sql_url)
    broker = Mosquitto(tmp_path)
    broker.start()
    listener = Listener(broker.port)
    write(a_broker(broker, in_flight=20))
    registered(engine, "L1")
    parts: list[str] = []
    stop = Event()

    def commit() -> None:
        while not stop.wait(0.2):
            if len(parts) - len(listener.messages) > AHEAD:  # a program takes seconds to start
                continue
            batch = [now_record(part=f"P{len(parts) + n:05d}") for n in range(random.randint(1, 8))]
            committed(engine, *batch)
            parts.extend(str(record.part) for record in batch)

    committer = Thread(target=commit)
    committer.start()
    for _ in range(kills):
        process = program()
        reached = len(listener.messages)
        until_counted(lambda: len(listener.messages), reached + 4)  # it is in the middle of it
        time.sleep(random.uniform(0, 0.3))
        process.send_signal(signal.SIGKILL)
        process.wait()
    stop.set()
    committer.join()
    program()
    until_counted(lambda: len({one["part"] for one in listener.results}), len(parts))
    assert_in_order(listener.results, parts)
    listener.close()
    broker.end()


def test_it_ends_when_it_is_asked_to(
    settings: Settings,
    write: Callable[..., Path],
    program: Callable[[], subprocess.Popen[bytes]],
    tmp_path: Path,
) -> None:
    engine = engine_for(settings.sql_url)
    folder = tmp_path / "drop"
    folder.mkdir()
    write(a_drop(folder))
    process = program()
    until(lambda: any(row["state"] == "told" for row in receivers_shown(engine, None)), 30)
    a_lot(engine, 3)
    until(lambda: len(dropped(folder)) == 3)
    process.send_signal(signal.SIGTERM)
    assert process.wait(15) == 0
    with reading(engine) as connection:
        assert all(cursor.owner is None for cursor, _ in cursors.cursors(connection))


def test_commands(settings: Settings, write: Callable[..., Path], tmp_path: Path) -> None:
    engine = engine_for(settings.sql_url)
    folder = tmp_path / "drop"
    folder.mkdir()
    write(a_drop(folder))
    assert "never ran" in run("list").output
    assert run("list", "--check").exit_code == 1
    assert f"L1/files: {folder} takes files" in run("test").output
    with dispatching(engine, a_drop(folder)):
        a_lot(engine, 3)
        until(lambda: len(dropped(folder)) == 3)
        assert run("list", "--check").exit_code == 0
        assert "`outputs run` has it" in run("test", "L1/files").output
    assert "paused" in run("pause", "L1/files").output
    assert run("pause", "--resume", "L1/files").exit_code == 0
    assert run("replay", "L1/files", "--after", "1").exit_code == 0
    assert told(engine) == 1
    assert run("replay", "L1/files", "--since", "2020-01-01").exit_code == 0
    assert told(engine) == 0
    assert run("replay", "L1/files", "--skip").exit_code == 0
    assert told(engine) == 3
    noted = [entry.action for entry in audit.newest(engine, limit=10)]
    assert {"outputs.pause", "outputs.resume", "outputs.replay"} <= set(noted)


def told(engine: Engine) -> int:
    with reading(engine) as connection:
        found = {c.receiver: c.told for c, _ in cursors.cursors(connection)}
    return found["files"]


def test_a_receiver_that_left_the_file_is_forgotten(
    settings: Settings, write: Callable[..., Path], tmp_path: Path
) -> None:
    engine = engine_for(settings.sql_url)
    registered(engine, "L1", "old", "files")
    write(a_drop(tmp_path))
    assert "not in the file" in run("list").output
    assert "take it out first" in str(run("forget", "L1/files").exception)
    assert run("forget", "L1/old").exit_code == 0
    with reading(engine) as connection:
        assert [cursor.receiver for cursor, _ in cursors.cursors(connection)] == ["files"]


def test_a_plant_whose_file_is_gone_sees_and_forgets_its_receivers(
    settings: Settings, write: Callable[..., Path], tmp_path: Path
) -> None:
    engine = engine_for(settings.sql_url)
    registered(engine, "L1", "files")
    write(a_drop(tmp_path)).unlink()
    assert "files" in run("list").output
    assert "No such file" in str(run("list", "--check").exception)
    assert run("forget", "L1/files").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("test", "L1/nobody"), "has no receiver 'L1/nobody'"),
        (("pause", "L1/nobody"), "there is no receiver 'L1/nobody'"),
        (("replay", "L1/files", "--since", "noon"), "'noon' is no time"),
    ],
)
def test_what_is_not_there_is_named(
    settings: Settings,
    write: Callable[..., Path],
    tmp_path: Path,
    arguments: tuple[str, ...],
    words: str,
) -> None:
    registered(engine_for(settings.sql_url), "L1", "files")
    write(a_drop(tmp_path))
    assert words in str(run(*arguments).exception)


def test_a_folder_that_is_not_there_is_said(
    settings: Settings, write: Callable[..., Path], tmp_path: Path
) -> None:
    write(a_drop(tmp_path / "missing"))
    result = run("test")
    assert result.exit_code == 1
    assert "No such file or directory; is it mounted" in result.output


def test_without_a_file_it_is_said_what_to_set(settings: Settings) -> None:
    assert "LINEWATCH_OUTPUTS_FILE is not set" in str(run("run").exception)
