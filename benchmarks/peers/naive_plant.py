"""Starts the afternoon's worker, and times it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from celery import Celery
from sqlalchemy import create_engine, func, select

from benchmarks.jpegs import LabelledPicture
from benchmarks.peers.naive_table import Base, NaiveVerdict
from benchmarks.workplace import ROOT, Workplace
from db.session import database_url
from linewatch.errors import ServiceError
from linewatch.services import ServiceGroup, python_command

_FIT = (
    "import json, sys; from benchmarks.peers.naive import fit; "
    "fit(*zip(*json.load(sys.stdin), strict=True))"
)


class NaivePlant:
    """`celery -A benchmarks.peers.naive worker -c 2`, prefork, a torch thread a process."""

    def __init__(self, workplace: Workplace, kind: str) -> None:
        folder = workplace.folder / "naive"
        folder.mkdir()
        url = database_url(workplace.database_url(kind)).render_as_string(hide_password=False)
        self._environment = {
            "NAIVE_WEIGHTS": str(workplace.weights_dir / "full"),
            "NAIVE_MODEL": str(folder / "model.pkl"),
            "NAIVE_BROKER": workplace.redis_url(),
            "NAIVE_DATABASE": url,
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
        }
        self.group = ServiceGroup(folder / "logs", self._environment)
        self._engine = create_engine(url)
        self._app = Celery("bench", broker=self._environment["NAIVE_BROKER"], set_as_current=False)

    def __enter__(self) -> NaivePlant:
        self.group.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.group.stop()
        self._app.close()
        self._engine.dispose()

    def start(self, pictures: Sequence[LabelledPicture]) -> None:
        """Fit the pickled model, make the table, start the worker and warm both processes."""
        subprocess.run(
            [sys.executable, "-c", _FIT],
            input=json.dumps([(str(p.path), p.label) for p in pictures]),
            env={**os.environ, **self._environment},
            text=True,
            check=True,
            capture_output=True,
        )
        Base.metadata.create_all(self._engine)
        celery = python_command("celery", "-A", "benchmarks.peers.naive", "worker", "-c", "2")
        self.group.start("naive", [*celery, "-l", "INFO"])
        self.images_per_s([picture.path for picture in pictures[:8]])

    def images_per_s(self, paths: Sequence[Path]) -> float:
        """From the first message to the last commit."""
        began = datetime.now(UTC)
        for path in paths:
            self._app.send_task("naive.inspect", args=[str(path)])
        last = self._await(len(paths), began)
        return len(paths) / (last - began).total_seconds()

    def _await(self, count: int, since: datetime, timeout_s: float = 900.0) -> datetime:
        decided = NaiveVerdict.decided_at
        query = select(func.count(), func.max(decided)).where(decided >= since)
        deadline = time.monotonic() + timeout_s
        while True:
            with self._engine.connect() as connection:
                found, last = connection.execute(query).one()
            if found >= count:
                return last if last.tzinfo else last.replace(tzinfo=UTC)
            self.group.check()
            if time.monotonic() > deadline:
                raise ServiceError(f"the naive worker made {found} of {count} in {timeout_s:.0f} s")
            time.sleep(0.1)
