"""Starting and stopping real programs."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from linewatch.errors import ServiceError
from linewatch.services import ServiceGroup, free_port


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
