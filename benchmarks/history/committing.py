"""Two versions of Linewatch that commit the same load, each on its own database of one history."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.workplace import ROOT
from linewatch.errors import ServiceError

BEFORE = "1dc34f46076e81471abae966ef280533dd3c4174"  # 0.1.0, which knows no parts
_CHILD = Path(__file__).parent / "committer.py"
_MIGRATE = "import sys; from db import migrate; migrate.upgrade(sys.argv[1])"


class Committing:
    """A process that commits with the code under `root`. Use as a context.

    Args:
        root: a checkout.
        url: its database.
        size: pictures a message.
    """

    def __init__(self, root: Path, url: str, size: int) -> None:
        self._root, self._url, self._size = root, url, size
        self._stack = ExitStack()

    def __enter__(self) -> Committing:
        prefix = f"B{time.time_ns() // 1_000_000}-"
        self._process = self._stack.enter_context(
            subprocess.Popen(
                [sys.executable, str(_CHILD), self._url, str(self._size), prefix],
                env=environment(self._root),
                cwd=self._root,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._stack.close()

    def messages_per_s(self, pairs: int) -> float:
        """How many messages a second it commits."""
        seconds: list[float] = self._asked("pairs", pairs)["seconds"]
        return len(seconds) / sum(seconds)

    def wal(self, pairs: int) -> dict[str, float]:
        """What it writes to PostgreSQL's log, a picture."""
        pictures = 2 * pairs * self._size
        return {name: total / pictures for name, total in self._asked("wal", pairs).items()}

    def _asked(self, what: str, count: int) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{what} {count}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise ServiceError(f"the process that commits on {self._root} ended")
        answer: dict[str, Any] = json.loads(line)
        return answer


def before(folder: Path) -> Path:
    """The code of `BEFORE`, written into a folder.

    Raises:
        subprocess.CalledProcessError: this is no checkout with its history.
    """
    folder.mkdir(parents=True, exist_ok=True)
    archive = subprocess.run(
        ["git", "-C", str(ROOT), "archive", BEFORE], check=True, stdout=subprocess.PIPE
    )
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
    return folder


def migrate_with(root: Path, url: str) -> None:
    """Make the tables as that code has them."""
    command = [sys.executable, "-c", _MIGRATE, url]
    subprocess.run(command, env=environment(root), cwd=root, check=True)


def environment(root: Path) -> dict[str, str]:
    """A process's whole environment, with that code first on its path."""
    return {**os.environ, "PYTHONPATH": str(root)}
