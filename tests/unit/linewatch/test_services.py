"""Starting and stopping real programs."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from linewatch.cli import cli
from linewatch.errors import ConfigurationError, ServiceError
from linewatch.restarts import Restarts
from linewatch.services import ServiceGroup, free_port
from linewatch.settings import get_settings


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_every_program_is_stopped_at_the_end(tmp_path: Path) -> None:
    with ServiceGroup(tmp_path, {}) as group:
        pids = [group.start(name, ["sleep", "60"]).process.pid for name in ("one", "two")]
        assert all(map(alive, pids))
    assert not any(map(alive, pids))


def test_a_program_that_ends_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    code = "print('the reason'); raise SystemExit(3)"
    with ServiceGroup(tmp_path, {}) as group:
        group.start("short", [sys.executable, "-c", code])
        with pytest.raises(ServiceError, match=r"(?s)short ended with code 3.*the reason"):
            group.wait_until("never", lambda: False, timeout_s=20)


def test_waiting_has_an_end(tmp_path: Path) -> None:
    with (
        ServiceGroup(tmp_path, {}) as group,
        pytest.raises(ServiceError, match="it is not ready"),
    ):
        group.wait_until("it", lambda: False, timeout_s=0.1)


def test_children_get_the_environment_given(tmp_path: Path) -> None:
    with ServiceGroup(tmp_path, {"LINEWATCH_PROBE": "42"}) as group:
        service = group.start("env", ["sh", "-c", "echo value=$LINEWATCH_PROBE"])
        service.process.wait(10)
    assert "value=42" in (tmp_path / "env.log").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_children_end_when_their_starter_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time, pathlib\n"
        "from linewatch.services import ServiceGroup\n"
        f"with ServiceGroup(pathlib.Path({str(tmp_path)!r}), {{}}) as group:\n"
        "    print(group.start('s', ['sleep', '60']).process.pid, flush=True)\n"
        "    time.sleep(60)\n"
    )
    import subprocess

    starter = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    starter.kill()
    starter.wait()
    deadline = time.monotonic() + 30
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(pid)


def test_a_free_port_is_free() -> None:
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", free_port()))


def test_what_dies_is_started_again_and_said_once(tmp_path: Path) -> None:
    said: list[str] = []
    with ServiceGroup(tmp_path, {}) as group:
        victim = group.start("victim", ["sleep", "60"], {"PROBE": "1"}).process.pid
        other = group.start("other", ["sleep", "60"]).process.pid
        os.kill(victim, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while group.services[0].process.pid == victim:
            group.keep_running(said.append)
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert alive(group.services[0].process.pid)
        assert group.services[0].environment == {"PROBE": "1"}
        assert group.services[1].process.pid == other
    assert said == ["victim ended with code -9; it starts again in 0.5 s"]


def test_what_a_person_must_mend_is_not_started_again(tmp_path: Path) -> None:
    code = "print('LINEWATCH_X: is wrong'); raise SystemExit(2)"
    with ServiceGroup(tmp_path, {}) as group:
        group.start("mistaken", [sys.executable, "-c", code]).process.wait(20)
        with pytest.raises(ServiceError, match=r"(?s)mistaken ended with code 2.*LINEWATCH_X"):
            group.keep_running(print)


def test_pauses_grow_to_a_limit_and_are_short_again_after_a_good_run() -> None:
    restarts = Restarts()
    pauses = [restarts.after(1, 0.1) for _ in range(9)]
    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert restarts.after(-9, 61) == 0.5
    assert Restarts().after(2, 0.1) is None
    assert restarts.after(2, 0.1) == 1.0  # it ran well before: what it misses may come back


def test_a_taken_port_is_said_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was the end of a traceback, after half a minute in which everything else had started."""
    monkeypatch.setenv("LINEWATCH_DATA_DIR", str(tmp_path / "data"))
    get_settings.cache_clear()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = CliRunner().invoke(cli, ["up", "--flower-port", port])
    get_settings.cache_clear()
    assert isinstance(done.exception, ConfigurationError), repr(done.exception)
    assert "--flower-port" in str(done.exception)
    assert f"port {port} cannot be used (Address already in use): another" in str(done.exception)
    assert not (tmp_path / "data" / "logs").exists()
