"""Keeps a worker process running: restarts one that ends by itself, with growing pauses.

Celery workers can end when Redis restarts, and a poisonous picture can end them at any time. In
a container or under systemd the restart policy does the same; this serves everywhere else.
"""

from __future__ import annotations

import logging
import signal
import subprocess
import time
from collections.abc import Sequence
from types import FrameType

from linewatch.services import die_with_parent

log = logging.getLogger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
STEADY_AFTER_S = 60.0  # a worker that ran this long was well: the next pause is short again


class Supervisor:
    """Runs `command` until it is told to stop.

    SIGTERM and SIGINT are passed on; the child then ends in its own time and is not restarted.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = list(command)
        self._child: subprocess.Popen[bytes] | None = None
        self._stopping = False

    def run(self) -> int:
        """Supervise; returns the exit code of the last child."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            signal.signal(number, self._pass_on)
        pause_s = FIRST_PAUSE_S
        while True:
            began = time.monotonic()
            code = self._run_child()
            if self._stopping or code == 0:
                return code
            if time.monotonic() - began > STEADY_AFTER_S:
                pause_s = FIRST_PAUSE_S
            log.error("the worker ended with code %d; the next starts in %.1f s", code, pause_s)
            time.sleep(pause_s)
            if self._stopping:
                return code
            pause_s = min(LONGEST_PAUSE_S, pause_s * 2)

    def _run_child(self) -> int:
        # Its own process group: a Ctrl-C at the terminal reaches it once, through us.
        self._child = subprocess.Popen(
            self._command,
            process_group=0,
            preexec_fn=die_with_parent,
        )
        if self._stopping:
            self._child.terminate()
        return self._child.wait()

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        self._stopping = True
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(number)
