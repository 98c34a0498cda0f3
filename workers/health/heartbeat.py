"""A worker's heartbeat, for whoever watches it from outside: its supervisor, or systemd.

It comes from a thread of Python, so that it stops when something holds the interpreter.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from typing import Any

from celery import bootsteps

from linewatch import service_manager
from producer.contract import QUEUE
from workers.broker.deliveries import deliveries
from workers.health.periodic_thread import PeriodicThread
from workers.health.pulse import PIPE, Beat

log = logging.getLogger(__name__)

PERIOD_S = 1.0


class Heartbeat:
    """The thread that beats, once a second, for as long as the process lives.

    Args:
        places: how many tasks can run at once.
        holding: whether the worker waits for something that others would wait for as well.
    """

    def __init__(self, places: Callable[[], int], holding: Callable[[], bool]) -> None:
        self._places = places
        self._holding = holding
        pipe = os.environ.pop(PIPE, "")  # no child of this process is to beat
        self._pipe = int(pipe) if pipe else None
        if self._pipe is not None:
            os.set_inheritable(self._pipe, False)
            os.set_blocking(self._pipe, False)
        # What fails now, it may know a second later; without beats the process would be ended.
        self._thread = PeriodicThread(
            "heart", self.beat, PERIOD_S, failed="no heartbeat", at_once=True
        )

    def start(self) -> None:
        """Begin to beat: what the worker loads is loaded."""
        self._thread.start()

    def beat(self) -> None:
        """Once."""
        deliveries.look(time.monotonic(), self._places())
        if self._pipe is None:
            service_manager.notify(service_manager.READY, service_manager.ALIVE)
            return
        try:
            os.write(self._pipe, Beat(deliveries.load(), self._holding()).line())
        except BlockingIOError:
            pass  # the supervisor is stopped: it will read what is in the pipe
        except OSError as error:
            log.warning("no more heartbeats, the supervisor is gone: %s", error)
            self._pipe = None


def start_heart(worker: Any, holding: Callable[[], bool] = lambda: False) -> None:
    """Begin to beat for a Celery worker."""
    Heartbeat(lambda: worker.pool.limit or 1, holding).start()


class HeartStep(bootsteps.StartStopStep):  # type: ignore[misc]
    """The heartbeat of a worker that loads no encoders; `PipelineStep` starts that of others."""

    requires = ("celery.worker.components:Pool",)

    def include_if(self, worker: Any) -> bool:
        """Whether this worker leaves the inspect queue to others."""
        return QUEUE not in worker.app.amqp.queues.consume_from

    def start(self, worker: Any) -> None:
        """Begin to beat."""
        start_heart(worker)
