"""Which messages a worker takes: none that it could not judge as another worker can.

A worker without the champion of every product takes nothing at all; one that lacks some products'
champions lets their messages go again, after a pause, so that a worker that has them may take them.
It asks itself anew all the time: a store that was away is back one day.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from celery import bootsteps

from producer.contract import QUEUE, TASK
from workers.broker.parking import park

if TYPE_CHECKING:
    from workers.runtime import InspectRuntime

log = logging.getLogger(__name__)

PERIOD_S = 1.0


class IntakeStep(bootsteps.StartStopStep):  # type: ignore[misc]
    """Takes up and stops the taking of inspect messages, and parks those it cannot serve."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **_: Any) -> None:
        self._stopped = False  # by this step; what an operator stops is not taken up here
        self._timer: Any = None
        self._parks = False

    def include_if(self, consumer: Any) -> bool:
        """Whether this worker consumes the inspect queue."""
        return QUEUE in consumer.app.amqp.queues.consume_from

    def start(self, consumer: Any) -> None:
        """Look now, and every second."""
        from workers.runtime import runtime_of

        if not self._parks:  # once, however often it connects
            park(consumer, partial(_is_parked, runtime_of(consumer.app)))
            self._parks = True
        self._look(consumer)
        self._timer = consumer.timer.call_repeatedly(PERIOD_S, self._look, (consumer,))

    def stop(self, consumer: Any) -> None:
        """The connection is gone, or the worker stops."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self, consumer: Any) -> None:
        """Called by the event loop, as remote control is."""
        from workers.runtime import runtime_of

        reason = runtime_of(consumer.app).idle_reason
        if reason is not None and not self._stopped:
            log.error("this worker takes no pictures: %s", reason)
            consumer.cancel_task_queue(QUEUE)
            self._stopped = True
        elif reason is None and self._stopped:
            log.warning("this worker takes pictures again")
            queues = consumer.app.amqp.queues
            queues.select_add(queues[QUEUE])  # for the next connection too
            consumer.add_task_queue(QUEUE)
            self._stopped = False


def _is_parked(runtime: InspectRuntime, message: Any) -> bool:
    if not _unserved(message, runtime):
        return False
    runtime.received += 1  # for the watchdog: this worker hears
    return True


def _unserved(message: Any, runtime: InspectRuntime) -> bool:
    """Whether it asks for a product whose champion this worker lacks.

    What nobody signed is not kept going round for that: its task buries it.
    """
    unserved = runtime.residency.unserved
    if not unserved:
        return False
    try:
        payload = message.payload[0][0]
        if message.headers["task"] != TASK or payload["product"] not in unserved:
            return False
        return runtime.keys.problem(payload, required=runtime.require_signatures) is None
    except Exception:  # it is no message of ours: others see to that
        return False
