"""Included in a worker: a message whose id begins with DEADLY ends it before the task begins.

LINEWATCH_TEST_FATE says how: `kill` when Celery is about to be given the message, `kill-pool` when
the pool is, `crash` ends the worker's loop, `leak` in the pool's thread, where nobody looks.
"""

from __future__ import annotations

import os
import signal
from typing import Any

from celery.concurrency.thread import TaskPool
from kombu.transport import virtual

DEADLY = "deadly-"
_fate = os.environ.get("LINEWATCH_TEST_FATE", "")
_deliver = virtual.Transport._deliver
_on_apply = TaskPool.on_apply


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _deliver_or_die(transport: Any, message: Any, queue: str) -> None:
    if message.envelope["headers"]["id"].startswith(DEADLY):
        if _fate == "kill":
            _die()
        if _fate == "crash":
            raise SystemExit(1)
    _deliver(transport, message, queue)


def _apply_or_die(pool: Any, target: Any, args: Any = None, *rest: Any, **options: Any) -> Any:
    if any(str(value).startswith(DEADLY) for value in args or () if isinstance(value, str)):
        if _fate == "kill-pool":
            _die()
        if _fate == "leak":
            target = _leak
    return _on_apply(pool, target, args, *rest, **options)


def _leak(*_args: Any, **_options: Any) -> None:
    raise RuntimeError("lost in a thread")


if _fate:  # in a worker, and not in the tests that read DEADLY
    virtual.Transport._deliver = _deliver_or_die
    TaskPool.on_apply = _apply_or_die
