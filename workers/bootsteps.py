"""What Linewatch adds to a Celery worker's start and stop."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from celery import bootsteps
from celery.signals import worker_shutting_down

from linewatch.errors import EXIT_MISTAKE, ConfigurationError, LinewatchError
from linewatch.extras import advice
from producer.contract import QUEUE
from workers.broker.deliveries import deliveries
from workers.health.heartbeat import start_heart
from workers.health.shutdown import (
    EXIT_CODE,
    LONGEST_END_S,
    LONGEST_REST_S,
    end_within,
    leave_hung_tasks,
)

if TYPE_CHECKING:
    from linewatch.settings import Settings
    from vision.extractor import FeatureExtractor

log = logging.getLogger(__name__)


class PipelineStep(bootsteps.StartStopStep):  # type: ignore[misc]
    """Loads the encoders before the worker takes its first message, and drains them at the end.

    Only a worker that consumes the inspect queue loads anything.
    """

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **_: Any) -> None:
        self.runtime: Any = None
        self._told_to_stop = False
        self._worker = worker

    def include_if(self, worker: Any) -> bool:
        """Whether this worker consumes the inspect queue."""
        return QUEUE in worker.app.amqp.queues.consume_from

    def start(self, worker: Any) -> None:
        """Load encoders and models; a worker that cannot must not take messages.

        Where a person must mend something first, the exit code says so to whoever would start it
        again.
        """
        from linewatch.settings import get_settings

        try:
            from workers.runtime import install
            from workers.wiring import start_inspect_runtime

            self.runtime = start_inspect_runtime(
                get_settings(), self.load_extractor, worker=worker.hostname
            )
            install(worker.app, self.runtime)
        except ConfigurationError as error:
            log.critical("%s", error)
            raise SystemExit(EXIT_MISTAKE) from None
        except ImportError as error:
            log.critical("%s", advice(error))
            raise SystemExit(EXIT_MISTAKE) from None
        except LinewatchError as error:  # a database that is away or behind: the next start may do
            log.critical("%s", error)
            raise SystemExit(EXIT_CODE) from None
        worker_shutting_down.connect(self._drain, weak=False)
        start_heart(worker, lambda: self.runtime.waits)

    def load_extractor(self, settings: Settings) -> FeatureExtractor:
        """The encoders; a benchmark's worker has others."""
        from vision.extractor import FeatureExtractor

        return FeatureExtractor.from_settings(settings)

    def stop(self, worker: Any) -> None:
        """Finish the batch on the device; every other picture goes back to the queue.

        Celery also stops a worker whose consumer broke ("Unrecoverable error", when Redis is full).
        From here on the watchdog is off, and each step of stopping may wait for the Redis that
        broke it. Nobody asked this worker to take its time, so it is given a while and then ended.

        A task whose read hangs never ends: its message goes back without it, and since Python
        waits for its thread, the process is ended. One that was told to stop ends with code 0 even
        so: nobody shall start it again.
        """
        told = self._told_to_stop or worker.exitcode == 0  # by a signal, or by remote control
        if not told:
            end_within(LONGEST_END_S)
        if self.runtime is not None:
            self.runtime.stop()
            wanted = told and not self.runtime.pipeline.lost
            if self.runtime.hangs:
                end_within(LONGEST_REST_S, 0 if wanted else EXIT_CODE)
                leave_hung_tasks(worker.pool)
                self.runtime.suspects.acquit(self.runtime.unread)  # the share is to blame
            if self.runtime.pipeline.lost:
                worker.exitcode = EXIT_CODE

    def info(self, worker: Any) -> dict[str, Any]:
        """Shown by `celery inspect stats` and on Flower's worker page."""
        if self.runtime is None:
            return {}
        extractor = self.runtime.extractor
        return {
            "linewatch": {
                "encoders": extractor.describe(),
                "device": str(extractor.device),
                "fingerprint": extractor.fingerprint[:16],
                "models": self.runtime.residency.versions,
                "holding": self.runtime.committer.holding.now,
                "held_s": round(self.runtime.committer.holding.seconds),
                "share_hangs": self.runtime.share_hangs,
                "idle_reason": self.runtime.idle_reason,
                "unserved": dict(self.runtime.residency.unserved),
            }
        }

    def _drain(self, **_: Any) -> None:
        self._told_to_stop = True
        self.runtime.pipeline.drain()
        consumer = getattr(self._worker, "consumer", None)
        dispatcher = getattr(consumer, "event_dispatcher", None)  # none before it is connected
        if dispatcher is not None:
            dispatcher.hurry()


class SecretsStep(bootsteps.Step):  # type: ignore[misc]
    """Keeps secrets out of what the worker answers to remote control."""

    def __init__(self, _worker: Any, **_: Any) -> None:
        from linewatch.settings import get_settings
        from workers.broker.remote_control import keep_secrets

        keep_secrets(get_settings())


class LeaseStep(bootsteps.StartStopStep):  # type: ignore[misc]
    """Renews the visibility timeout of the messages this worker holds, until they are stuck."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **_: Any) -> None:
        self.keeper: Any = None

    def start(self, consumer: Any) -> None:
        """Begin to renew, on the channel of this connection."""
        from linewatch.settings import get_settings
        from workers.broker.leases import LeaseKeeper

        self.keeper = LeaseKeeper.for_channel(consumer.task_consumer.channel, get_settings())
        self.keeper.start()

    def stop(self, consumer: Any) -> None:
        """The connection is gone, or the worker stops: only tasks under way are still held."""
        deliveries.crashed = bool(consumer.controller.exitcode)
        if self.keeper is not None:
            self.keeper.retire()

    def shutdown(self, consumer: Any) -> None:
        """The connection is gone: a new one brings a new channel and a new keeper."""
        if self.keeper is not None:
            self.keeper.stop()
            self.keeper = None
