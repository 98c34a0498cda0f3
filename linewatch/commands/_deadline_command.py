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
from collections import deque

import click

from producer.deadline_book import MissedDeadline
from producer.submission import Station

log = logging.getLogger(__name__)

_LIMIT_S = 10.0
_MOST = 16  # at once
_LOOK_S = 0.5


class DeadlineCommand:
    """Starts a program, without a shell, and waits for none.

    One that runs for ten seconds is killed, and so is the oldest where sixteen run: a program
    that hangs keeps no gate from its next part.

    Args:
        command: the program and its arguments, quoted as in a shell.
        station: told to the program.

    Raises:
        click.BadParameter: there is no such program.
    """

    def __init__(self, command: str, station: Station) -> None:
        self._words = _words(command)
        self._station = station
        self._running: deque[tuple[float, subprocess.Popen[bytes]]] = deque()
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
            self._running.append((time.monotonic(), started))
            surplus = [self._running.popleft() for _ in range(len(self._running) - _MOST)]
        for _, oldest in surplus:
            self._end(oldest)

    def _look_after(self) -> None:
        while True:
            time.sleep(_LOOK_S)
            with self._lock:
                held, self._running = list(self._running), deque()
                for began, process in held:
                    if process.poll() is None and time.monotonic() - began < _LIMIT_S:
                        self._running.append((began, process))
            for began, process in held:
                if process.poll() is None and time.monotonic() - began >= _LIMIT_S:
                    self._end(process)
                elif process.returncode:
                    log.error("%s ended with %d", self._words[0], process.returncode)

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        if process.poll() is None:
            log.error("%s did not end in time and is killed", self._words[0])
            process.kill()
            process.wait(1.0)


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
