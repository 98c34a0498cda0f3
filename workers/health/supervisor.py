"""Keeps worker processes running: restarts one that ends by itself, with growing pauses.

Celery workers can end when Redis restarts, a device can vanish, and a poisonous picture can end
them at any time. In a container or under systemd the restart policy does the same; this serves
everywhere else.

It also ends one that looks alive and is not: that sends no heartbeat, or holds messages without
work. Only a process of its own can see that, see `workers.health.pulse`.
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

from linewatch import service_manager
from linewatch.child_process import die_with_parent
from linewatch.restarts import Restarts
from workers.health.awake_clock import AwakeClock
from workers.health.heartbeat_reader import Heartbeats
from workers.health.pulse import PIPE, Limits

log = logging.getLogger(__name__)

_LOOK_S = 0.1
_MOST_STEP_S = 1.0  # of the supervisor's clock: what it slept through counts against no worker


@dataclass(frozen=True, slots=True)
class Program:
    """A worker to keep running.

    Attributes:
        environment: added to this process's.
        limits: of a program that sends heartbeats; None: of this one none are expected.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    limits: Limits | None = None


class Supervisor:
    """Runs programs until it is told to stop, or each has ended with code 0 or by a mistake.

    A mistake is what a person must mend, see `linewatch.restarts`.

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
        clock = AwakeClock(_MOST_STEP_S)
        service_manager.notify(service_manager.READY)
        while True:
            now = time.monotonic()
            awake = clock.read(now)
            for child in self._children:
                child.look(now, awake, stopping=self._stopping)
            service_manager.notify(service_manager.ALIVE)
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
        self._restarts = Restarts()
        self._told = False
        self._heartbeats: Heartbeats | None = None
        self._kill_at: float | None = None  # of one that is ended for what it does not do
        self.code = 0
        self.over = False

    def look(self, now: float, awake: float, *, stopping: bool) -> None:
        """Start the process if it is time; notice if it has ended, or does nothing.

        Args:
            now: by the monotonic clock, in seconds.
            awake: by one that runs only while the supervisor does.
            stopping: whether all are to end.
        """
        if self.over:
            return
        if self._process is not None:
            code = self._process.poll()
            if code is None:
                if stopping and not self._told:  # it was only just started when we were told
                    self.signal(signal.SIGTERM)
                if not stopping:
                    self._watch(awake)
                return
            self._ended(code, now, stopping=stopping)
        if stopping and self._process is None:
            self.over = True
        elif self._process is None and not self.over and now >= self._start_at:
            self._start(now, awake)

    def signal(self, number: int) -> None:
        """Pass a signal on."""
        if self._process is not None and self._process.poll() is None:
            self._told = True
            self._process.send_signal(number)

    def _watch(self, awake: float) -> None:
        """End a process that does nothing: first as if it were told to stop, then for good."""
        process, heartbeats = self._process, self._heartbeats
        if process is None or heartbeats is None:
            return
        if self._kill_at is not None:
            if awake >= self._kill_at:
                process.kill()
            return
        complaint = heartbeats.complaint(process.pid, awake)
        if complaint is not None:
            log.critical("%s %s; it is ended", self._program.name, complaint)
            self._kill_at = awake + heartbeats.limits.grace_s
            process.terminate()

    def _start(self, now: float, awake: float) -> None:
        # Its own process group: a Ctrl-C at the terminal reaches it once, through us.
        self._began, self._told, self._kill_at = now, False, None
        limits = self._program.limits
        self._heartbeats = None if limits is None else Heartbeats(limits, awake)
        pipe = [] if self._heartbeats is None else [self._heartbeats.to]
        environment = {**os.environ, **self._program.environment}
        environment.pop(service_manager.SOCKET, None)  # the service is this process
        environment.pop(PIPE, None)
        if pipe:
            environment[PIPE] = str(pipe[0])
        self._process = subprocess.Popen(
            self._program.command,
            env=environment,
            process_group=0,
            preexec_fn=die_with_parent,
            pass_fds=pipe,
        )
        if self._heartbeats is not None:
            self._heartbeats.started()

    def _ended(self, code: int, now: float, *, stopping: bool) -> None:
        self._process, self.code = None, code
        if self._heartbeats is not None:
            self._heartbeats.close()
        if stopping or (code == 0 and self._kill_at is None):
            self.over = True
            return
        name, pause_s = self._program.name, self._restarts.after(code, now - self._began)
        if pause_s is None:
            log.error("%s ended with code %d and is not started again; see above", name, code)
            self.over = True
            return
        log.error("%s ended with code %d; the next starts in %.1f s", name, code, pause_s)
        self._start_at = now + pause_s
