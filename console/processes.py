"""Keeps the processes that serve one console: they share its port, and end together.

Each is the same command again, with sockets of its own on the port, so that the kernel gives each
its share of new ones; a process that ends starts anew after a pause.
"""

from __future__ import annotations

import logging
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType

from console.listening import Listening
from linewatch.child_process import die_with_parent
from linewatch.restarts import Restarts

log = logging.getLogger(__name__)

STOP_TIMEOUT_S = 20.0  # streams and the sender of pictures end within it
_POLL_S = 0.2


@dataclass(slots=True)
class _Server:
    """One of the processes: while it runs, or when it starts again."""

    restarts: Restarts = field(default_factory=Restarts)
    process: subprocess.Popen[bytes] | None = None
    began: float = 0.0
    start_at: float = 0.0


class Processes:
    """So many processes of one command, kept running until this one is told to end.

    Args:
        command: serves on the sockets whose numbers stand behind it, as `--socket NUMBER`.
        listening: where.
        count: how many.

    Raises:
        ConfigurationError: see `Listening.bound`.
    """

    def __init__(self, command: Sequence[str], listening: Listening, count: int) -> None:
        for one in listening.bound():  # not shared: another console on the port would share it
            one.close()
        # Bound and not listening: it keeps the port while no process does, and gets no connection.
        self._keeper = listening.bound(shared=True)
        self._command, self._listening = command, listening
        self._servers = [_Server() for _ in range(count)]
        self._stop = threading.Event()

    def run(self) -> int:
        """Keep them running; returns the exit code: 0 after SIGTERM or Ctrl-C.

        Another code is that of a process which says that a person must mend something.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._told)
        try:
            while not self._stop.is_set():
                for server in self._servers:
                    code = self._keep(server, time.monotonic())
                    if code is not None:
                        return code
                self._stop.wait(_POLL_S)
        finally:
            self._end()
        return 0

    def _told(self, _number: int, _frame: FrameType | None) -> None:
        self._stop.set()

    def _keep(self, server: _Server, now: float) -> int | None:
        """See that one runs; its exit code where it is not to be started again."""
        if server.process is not None:
            code = server.process.poll()
            if code is None:
                return None
            server.process = None
            pause_s = server.restarts.after(code, now - server.began)
            if pause_s is None:
                return code
            log.error("a process of the console ended with code %d; it starts again", code)
            server.start_at = now + pause_s
        if now >= server.start_at:
            server.began, server.process = now, self._started()
        return None

    def _started(self) -> subprocess.Popen[bytes]:
        sockets = self._listening.bound(shared=True)
        numbers = [one.fileno() for one in sockets]
        try:
            return subprocess.Popen(
                [*self._command, *(f"--socket={number}" for number in numbers)],
                stdin=subprocess.DEVNULL,
                pass_fds=numbers,
                preexec_fn=die_with_parent,
            )
        finally:  # the process has them now, and they go with it
            for one in sockets:
                one.close()

    def _end(self) -> None:
        """Ask each to end, and kill what has not ended in time."""
        running = [one.process for one in self._servers if one.process is not None]
        for process in running:
            with suppress(ProcessLookupError):
                process.terminate()
        for one in self._keeper:
            one.close()
        deadline = time.monotonic() + STOP_TIMEOUT_S
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
