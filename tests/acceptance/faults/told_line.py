"""A line whose verdicts are committed without end and told by `linewatch outputs run`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event, Thread
from typing import Any

import yaml

from db.session import engine_for
from linewatch.services import python_command
from producer.contract import Verdict
from tests.acceptance.faults.results import Row, record
from tests.support.outbox import committed, now_record, registered
from tests.support.waiting import until_counted

LINE = "L1"
AHEAD = 60  # parts; what was committed long before a fault tells nothing of it
Results = Sequence[dict[str, Any]]


class ToldLine:
    """Every part has a defect, so that a PLC notes each.

    Args:
        url: of the database, which is migrated.
        told: what the receiver has, in order: `part`, `sequence`, and `id` where it is told one.
        far_url: of the same database, as the dispatcher reaches it.
    """

    def __init__(
        self,
        folder: Path,
        url: str,
        receiver: dict[str, Any],
        told: Callable[[], Results],
        far_url: str | None = None,
    ) -> None:
        self._engine, self._told, self._folder = engine_for(url), told, folder
        self._file = folder / "outputs.yaml"
        self._file.write_text(yaml.safe_dump({"lines": {LINE: {"receivers": [receiver]}}}))
        registered(self._engine, LINE, receiver["name"])
        self._url = far_url or url
        self._stop = Event()
        self._committer = Thread(target=self._commit, daemon=True)
        self._processes: list[subprocess.Popen[bytes]] = []
        self.parts: list[str] = []

    def __enter__(self) -> ToldLine:
        self._committer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._committer.join(30)
        for process in self._processes:
            process.kill()
            process.wait()

    def dispatcher(self) -> subprocess.Popen[bytes]:
        """Start one more `linewatch outputs run`."""
        wanted = {"LINEWATCH_DATABASE_URL": self._url, "LINEWATCH_OUTPUTS_FILE": str(self._file)}
        return self._started(python_command("linewatch", "outputs", "run"), **wanted)

    def receiver(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start `receiver_program`."""
        module = "tests.acceptance.faults.receiver_program"
        return self._started([sys.executable, "-m", module, *arguments])

    def goes_on(self, more: int = 3) -> float:
        """Wait until so many results more have come; returns how long that took, in s."""
        began, reached = time.monotonic(), len(self._told())
        until_counted(lambda: len(self._told()), reached + more)
        return time.monotonic() - began

    def finish(self, fault: str, runs: int, recover_s: float) -> None:
        """Commit no more, wait until all is told, and check the promise to its letter.

        Raises:
            AssertionError: a verdict is not told, or not in order, or a repeat has another id.
        """
        self._stop.set()
        self._committer.join(30)
        until_counted(lambda: len({one["part"] for one in self._told()}), len(self.parts))
        first: dict[str, tuple[Any, Any]] = {}
        changed = 0
        for one in self._told():
            about = (one["sequence"], one.get("id"))
            changed += first.setdefault(one["part"], about) != about
        lost = len(set(self.parts) - set(first))
        assert not changed, f"{changed} results came again under another id or sequence"
        assert list(first) == self.parts, "the order is not that of the commits"
        dialect, recovered_s = self._engine.dialect.name, round(recover_s, 1)
        record(Row(fault, dialect, runs, len(self.parts), lost, changed, recovered_s))

    def _commit(self) -> None:
        told = 0
        while not self._stop.wait(0.05):
            if len(self.parts) - told > AHEAD:
                told = len({one["part"] for one in self._told()})
                continue
            part = f"P{len(self.parts):06d}"
            bad = {"verdict": Verdict.DEFECT, "defect_class": "bent_wire"}
            committed(self._engine, now_record(part=part, line=LINE, **bad))
            self.parts.append(part)

    def _started(self, command: list[str], **more: str) -> subprocess.Popen[bytes]:
        with (self._folder / "programs.log").open("ab") as log:
            process = subprocess.Popen(command, env={**os.environ, **more}, stdout=log, stderr=log)
        self._processes.append(process)
        return process


def lines_of(file: Path) -> Results:
    """What `receiver_program` wrote; its last line may be half written."""
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text().split("\n")[:-1]]
