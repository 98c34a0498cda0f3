"""The thread that owns the device: takes batches, has them judged, and hands their rows on."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from threading import Thread

from workers.pipeline.batch_limit import BatchLimit
from workers.pipeline.batch_queue import BatchQueue
from workers.pipeline.device import Device, UnderWay
from workers.pipeline.inspection_request import InspectionRequest
from workers.pipeline.semaphore import Semaphore
from workers.pipeline.stage_timing import Stage, StageTiming


class DeviceThread:
    """Runs until the batch queue is closed.

    Args:
        batches: where batches come from.
        device: has them judged.
        limit: how many pictures a batch may hold now.
        in_memory: of pictures; given back when they are judged.
        timing: is told how long pictures waited for their batch.
        asynchronous: whether the device computes while the judge does something else; it is then
            given a batch before the results of the one before it are read.
        on_device: called once by this thread, before anything else.
    """

    def __init__(
        self,
        batches: BatchQueue[InspectionRequest],
        device: Device,
        limit: BatchLimit,
        *,
        in_memory: Semaphore,
        timing: StageTiming,
        asynchronous: bool,
        on_device: Callable[[], None],
    ) -> None:
        self._batches = batches
        self._device = device
        self._limit = limit
        self._in_memory = in_memory
        self._timing = timing
        self._asynchronous = asynchronous
        self._on_device = on_device
        self._thread = Thread(target=self._run, name="device", daemon=True)

    def start(self) -> None:
        """Begin to take batches."""
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait for the batches under way, once the queue is closed."""
        self._thread.join(timeout_s)

    def _run(self) -> None:
        self._on_device()
        while batch := self._batches.take(self._limit.value):
            under_way: UnderWay | None = self._launch(batch)
            while under_way is not None:
                following = self._launch_ahead()
                self._device.finish(under_way)
                self._in_memory.give(len(under_way.batch))
                under_way = following

    def _launch(self, batch: Sequence[InspectionRequest]) -> UnderWay:
        oldest = min(request.decoded_at for request in batch)
        self._timing.note(Stage.BATCH_WAIT, len(batch), time.perf_counter() - oldest)
        return self._device.launch(batch)

    def _launch_ahead(self) -> UnderWay | None:
        """The next batch behind the one on the device, which then has no pause between the two.

        Only a full one: others grow while the device is busy, and lose nothing by it.
        """
        batch = self._batches.take_full(self._limit.value) if self._asynchronous else []
        return self._launch(batch) if batch else None
