"""Runs a command for each part that misses its deadline: what drives a gate on this PC."""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

import click

from producer.deadline_book import MissedDeadline
from producer.submission import Station

log = logging.getLogger(__name__)

_LIMIT_S = 10.0
_MOST = 16  # at once
_LOOK_S = 0.5


@dataclass(eq=False)
class _Started:
    """A program, and when it has run too long, by the monotonic clock."""

    process: subprocess.Popen[bytes]
    until_s: float
    killed: bool = False


class DeadlineCommand:
    """Starts a program, without a shell, and waits for none.

    One that runs for ten seconds is killed, and so is the oldest where sixteen run: a program
    that hangs keeps no gate from its next part.

    Args:
        command: the program and its arguments, quoted as in a shell.
        station: told to the program.
        limit_s: how long one may run.

    Raises:
        click.BadParameter: there is no such program.
    """

    def __init__(self, command: str, station: Station, limit_s: float = _LIMIT_S) -> None:
        self._words = _words(command)
        self._station = station
        self._limit_s = limit_s
        self._running: list[_Started] = []
        self._lock = threading.Lock()
        threading.Thread(target=self._look_after, name="deadline commands", daemon=True).start()

    def run(self, part: MissedDeadline) -> None:
        """Start it for a part; what is wrong with it is logged."""
        try:
            # Its standard output is not ours: that is one line a picture.
            started = subprocess.Popen(
                self._words,
                env={**os.environ, **_said(part, self._station)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        except OSError as error:
            log.error("part %s: %s cannot be started: %s", part.part, self._words[0], error)
            return
        with self._lock:
            self._running.append(_Started(started, time.monotonic() + self._limit_s))
            for oldest in self._running[:-_MOST]:
                self._end(oldest)

    def running(self) -> list[int]:
        """The process ids of those that were started and are not known to have ended."""
        with self._lock:
            return [one.process.pid for one in self._running]

    def _look_after(self) -> None:
        """Kill what runs too long; forget what has ended, and say of it what is wrong."""
        while True:
            time.sleep(min(_LOOK_S, self._limit_s))
            with self._lock:
                for one in list(self._running):
                    code = one.process.poll()
                    if code is None and time.monotonic() >= one.until_s:
                        self._end(one)
                    elif code is not None:
                        self._running.remove(one)
                        if code and not one.killed:
                            log.error("%s ended with %d", self._words[0], code)

    def _end(self, one: _Started) -> None:
        """Kill it, and do not wait: one that waits for a device cannot be waited for."""
        if not one.killed and one.process.poll() is None:
            log.error("%s did not end in time and is killed", self._words[0])
            one.process.kill()
            one.killed = True


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command, posix=sys.platform != "win32")
    except ValueError as error:
        raise click.BadParameter(f"--on-deadline {command!r} is no command: {error}") from None
    program = shutil.which(words[0]) if words else None
    if program is None:
        raise click.BadParameter(f"--on-deadline: there is no program {words[:1]}; give its path")
    return [program, *words[1:]]


def _said(part: MissedDeadline, station: Station) -> dict[str, str]:
    return {
        "DEADLINE_LINE": station.line,
        "DEADLINE_CAMERA": station.camera,
        "DEADLINE_PART": part.part or "",
        "DEADLINE_PASS": str(part.pass_number or ""),
        "DEADLINE_PICTURES": " ".join(map(str, part.pictures)),
        "DEADLINE_MISSING_VIEWS": ",".join(part.missing_views),
        "DEADLINE_CAPTURED_AT": part.captured_at.isoformat(),
    }
