"""Included in a worker (`celery --include`): ends it at a named step, as SIGKILL does, once.

LINEWATCH_TEST_KILL_AT=<stage>:<nth>:<flag file>. The flag file remembers that it happened, so that
the next worker lives.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from threading import Lock
from typing import Any

from celery.signals import worker_ready

from workers.pipeline.stage_timing import Stage
from workers.runtime import runtime_of

_wish = os.environ.get("LINEWATCH_TEST_KILL_AT")
if _wish:
    _stage, _nth, _flag = _wish.split(":", 2)
    _lock = Lock()
    _seen = 0

    def _kill(stage: Stage, _pictures: int, _seconds: float) -> None:
        global _seen
        if stage != _stage:
            return
        with _lock:
            _seen += 1
            if _seen == int(_nth) and not Path(_flag).exists():
                Path(_flag).touch()
                os.kill(os.getpid(), signal.SIGKILL)

    def _watch(sender: Any, **_: Any) -> None:
        runtime_of(sender.app).timing.add(_kill)

    worker_ready.connect(_watch, weak=False)  # before the first message is taken
