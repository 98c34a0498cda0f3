"""Celery as released, with Linewatch's settings and one task that does nothing.

`celery -A benchmarks.stock worker …` is what a message costs whoever takes Celery as it comes: the
same pool, threads, broker options and acknowledgement, none of what Linewatch adds or changes. It
therefore imports nothing of `workers`, and has its configuration from a file.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from celery import Celery

from benchmarks.empty_task import CONFIG_FILE, EMPTY_TASK

app = Celery("stock")


@app.task(name=EMPTY_TASK)  # type: ignore[untyped-decorator]
def empty(*_: object) -> None:
    """Nothing."""


@app.on_configure.connect
def configure(sender: Celery, **_: object) -> None:
    """Read it when the worker starts."""
    folder = Path(os.environ["LINEWATCH_DATA_DIR"])
    sender.conf.update(json.loads((folder / CONFIG_FILE).read_text()))
