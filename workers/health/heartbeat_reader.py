"""The supervisor's end of the pipe that a worker beats into, see `workers.health.heartbeat`."""

from __future__ import annotations

import contextlib
import os

from workers.health.pulse import Beat, Limits, Pulse


class Heartbeats:
    """The pipe that a child beats into, and what its beats say. `to` is the child's end."""

    def __init__(self, limits: Limits, awake: float) -> None:
        self.limits = limits
        self._pulse = Pulse(limits, awake)
        self._rest = b""
        self._from, self.to = os.pipe()
        os.set_blocking(self._from, False)

    def started(self) -> None:
        """The child has its end now."""
        os.close(self.to)

    def close(self) -> None:
        """The child has ended."""
        os.close(self._from)

    def complaint(self, pid: int, awake: float) -> str | None:
        """Why the child should be ended, by what it has sent until now; None: it is well."""
        for line in self._lines():
            with contextlib.suppress(ValueError):
                self._pulse.heard(Beat.parse(line), awake)
        if _is_stopped(pid):
            self._pulse.excuse(awake)
        return self._pulse.complaint(awake)

    def _lines(self) -> list[bytes]:
        with contextlib.suppress(BlockingIOError):
            self._rest += os.read(self._from, 65536)
        *lines, self._rest = self._rest.split(b"\n")
        return lines


def _is_stopped(pid: int) -> bool:
    """Whether somebody has stopped this child (SIGSTOP, a debugger): they have their reasons."""
    options = os.WSTOPPED | os.WNOHANG | os.WNOWAIT
    try:
        return os.waitid(os.P_PID, pid, options) is not None
    except ChildProcessError:  # it has just ended
        return False
