"""Keeps worker processes running: restarts one that ends by itself, with growing pauses.

Celery workers can end when Redis restarts, a device can vanish, and a poisonous picture can end
them at any time. In a container or under systemd the restart policy does the same; this serves
everywhere else.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType

from linewatch.services import die_with_parent

log = logging.getLogger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
STEADY_AFTER_S = 60.0  # a worker that ran this long was well: the next pause is short again
_LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Program:
    """A worker to keep running; `environment` is added to this process's."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


class Supervisor:
    """Runs programs until it is told to stop, or each has ended with code 0.

    SIGTERM, SIGINT and SIGQUIT are passed on; the children then end in their own time and are not
    restarted. All children are started by the thread that calls `run`: the kernel ends them when
    that thread does.
    """

    def __init__(self, programs: Sequence[Program]) -> None:
        self._children = [_Child(program) for program in programs]
        self._stopping = False

    def run(self) -> int:
        """Supervise; returns the last exit code of a child that was not 0, or 0."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            signal.signal(number, self._pass_on)
        while True:
            now = time.monotonic()
            for child in self._children:
                child.look(now, stopping=self._stopping)
            if all(child.over for child in self._children):
                return next((c.code for c in self._children if c.code), 0)
            time.sleep(_LOOK_S)

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        self._stopping = True
        for child in self._children:
            child.signal(number)


class _Child:
    """One program: its process, or when the next one starts."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._began = self._start_at = 0.0
        self._pause_s = FIRST_PAUSE_S
        self._told = False
        self.code = 0
        self.over = False

    def look(self, now: float, *, stopping: bool) -> None:
        """Start the process if it is time; notice if it has ended."""
        if self.over:
            return
        if self._process is not None:
            code = self._process.poll()
            if code is None:
                if stopping and not self._told:  # it was only just started when we were told
                    self.signal(signal.SIGTERM)
                return
            self._ended(code, now, stopping=stopping)
        if stopping and self._process is None:
            self.over = True
        elif self._process is None and not self.over and now >= self._start_at:
            self._start(now)

    def signal(self, number: int) -> None:
        """Pass a signal on."""
        if self._process is not None and self._process.poll() is None:
            self._told = True
            self._process.send_signal(number)

    def _start(self, now: float) -> None:
        # Its own process group: a Ctrl-C at the terminal reaches it once, through us.
        self._began, self._told = now, False
        self._process = subprocess.Popen(
            self._program.command,
            env={**os.environ, **self._program.environment},
            process_group=0,
            preexec_fn=die_with_parent,
        )

    def _ended(self, code: int, now: float, *, stopping: bool) -> None:
        self._process, self.code = None, code
        if stopping or code == 0:
            self.over = True
            return
        if now - self._began > STEADY_AFTER_S:
            self._pause_s = FIRST_PAUSE_S
        name, pause_s = self._program.name, self._pause_s
        log.error("%s ended with code %d; the next starts in %.1f s", name, code, pause_s)
        self._start_at = now + pause_s
        self._pause_s = min(LONGEST_PAUSE_S, pause_s * 2)
