"""`linewatch doctor --beat|--ping|--progress`, as a container's health check runs them."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
import redis

from linewatch.services import free_port
from linewatch.settings import Settings
from tests.support.freezing import freeze
from tests.support.redis_server import RedisServer

CHECKS = [["--beat"], ["--ping", "inspect"], ["--progress"]]
HEAVY = {"torch", "transformers", "sklearn", "open_clip", "PIL", "cv2"}


def doctor(*arguments: str) -> tuple[int, str, float]:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "linewatch", "doctor", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr, time.monotonic() - began


def assert_one_line(code: int, output: str) -> None:
    assert code == 1
    assert output.count("\n") == 1, output
    assert "Redis does not answer" in output


@pytest.mark.parametrize("check", CHECKS, ids=" ".join)
def test_redis_that_is_away_is_one_line_and_code_1(
    make_settings: Callable[..., Settings], check: list[str]
) -> None:
    make_settings(redis_url=f"redis://127.0.0.1:{free_port()}/0")
    code, output, took_s = doctor(*check)
    assert_one_line(code, output)
    assert took_s < 5  # 0.5 on a quiet machine


@pytest.fixture
def frozen(private_redis: RedisServer) -> Iterator[RedisServer]:
    """A Redis that takes connections and says nothing, as one on a machine that swaps."""
    import os
    import signal

    freeze(private_redis.pid)
    yield private_redis
    os.kill(private_redis.pid, signal.SIGCONT)


def test_redis_that_hangs_is_so_too(
    make_settings: Callable[..., Settings], frozen: RedisServer
) -> None:
    make_settings(redis_url=frozen.url)
    code, output, took_s = doctor("--ping", "inspect")
    assert_one_line(code, output)
    assert took_s < 8  # 2.5 on a quiet machine


def test_a_wrong_password_is_so_too(
    make_settings: Callable[..., Settings], private_redis: RedisServer
) -> None:
    with private_redis.client() as client:
        client.acl_setuser("default", enabled=True, passwords=["+rightrightrightright"])
    make_settings(redis_url=f"redis://:wrongwrong@127.0.0.1:{private_redis.port}/0")
    for check in CHECKS:
        code, output, _ = doctor(*check)
        assert_one_line(code, output)
        assert "wrongwrong" not in output


def test_a_database_that_is_away_is_one_line(
    make_settings: Callable[..., Settings], redis_url: str
) -> None:
    make_settings(
        redis_url=redis_url,
        database_url=f"postgresql://somebody:password1@127.0.0.1:{free_port()}/linewatch",
    )
    with redis.Redis.from_url(redis_url) as client:
        client.lpush("inspect", "{}")
    code, output, took_s = doctor("--progress")
    assert (code, output.count("\n")) == (1, 1), output
    assert "is it running" in output
    assert "password1" not in output
    assert took_s < 8


def test_a_health_check_imports_nothing_heavy(settings: Settings, redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.lpush("inspect", "{}")
    code = (
        "import sys; sys.argv = ['linewatch', 'doctor', '--progress']\n"
        "from linewatch.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"heavy = {HEAVY} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    environment_of = {"LINEWATCH_REDIS_URL": redis_url}
    import os

    done = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **environment_of},
    )
    assert done.returncode == 0, done.stderr
    assert "1 messages wait" in done.stdout


class Listener:
    """A port that takes connections and says nothing."""

    def __init__(self, server: socket.socket) -> None:
        self._server = server
        self.port: int = server.getsockname()[1]
        self.taken: list[socket.socket] = []

    def run(self) -> None:
        with suppress(OSError):  # until it is shut down
            while True:
                self.taken.append(self._server.accept()[0])


@pytest.fixture
def listener() -> Iterator[Listener]:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        made = Listener(server)
        thread = threading.Thread(target=made.run, daemon=True)
        thread.start()
        yield made
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)
        for connection in made.taken:
            connection.close()


@pytest.mark.timeout(90)
@pytest.mark.parametrize("away", ["redis", "database"])
def test_the_whole_doctor_asks_what_hangs_once(
    make_settings: Callable[..., Settings], redis_url: str, listener: Listener, away: str
) -> None:
    """A report that takes minutes while something is away is no report."""
    place = f"127.0.0.1:{listener.port}"
    database = f"postgresql://u:p@{place}/x?connect_timeout=2"  # 10 s unless the URL says so
    make_settings(
        redis_url=f"redis://{place}/0" if away == "redis" else redis_url,
        database_url=database if away == "database" else "",
    )
    code, output, took_s = doctor()
    assert code == 1
    assert f": without {away}" in " ".join(output.split())
    assert output.count(f"without {away}") == 1  # one line for all of it
    assert "Traceback" not in output
    assert len(listener.taken) == 1
    assert took_s < 40  # 5 on a quiet machine; it took 59 and, with Redis, more than 100
