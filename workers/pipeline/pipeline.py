"""File to committed verdict: decode in parallel, judge in batches, commit, all overlapping.

    task threads ─▶ decode pool ─▶ batch queue ─▶ device thread ─▶ commit thread ─▶ replies
                        └──────────── rejected ────────────────────▲

Each message has a reply that its task waits for. A bounded number of pictures is in memory, so a
queue a million deep does not grow the worker. `docs/flow.md` has the whole way.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

from db.inspections.records import InspectionRecord
from workers.health.shutdown import hand_back_and_end
from workers.pipeline.batch_limit import BatchLimit
from workers.pipeline.batch_queue import BatchQueue
from workers.pipeline.commit_request import CommitRequest
from workers.pipeline.committer import Committer
from workers.pipeline.decode_pool import DecodePool
from workers.pipeline.decoder import Decoder
from workers.pipeline.delay_queue import DelayQueue
from workers.pipeline.device import Device
from workers.pipeline.device_thread import DeviceThread
from workers.pipeline.fair_lock import FairLock
from workers.pipeline.in_flight import InFlight
from workers.pipeline.inspection_request import InspectionRequest
from workers.pipeline.judge import Judge
from workers.pipeline.reader import PictureReader
from workers.pipeline.reply import DrainingError, Reply
from workers.pipeline.semaphore import Semaphore
from workers.pipeline.stage_timing import StageTiming

log = logging.getLogger(__name__)

STOP_TIMEOUT_S = 20.0  # of all steps; systemd and Compose kill after 30 s
DECODERS_END_S = 5.0  # what a slow share still gives is not judged any more


class Pipeline:
    """Inspects pictures. `inspect` may be called from any number of threads.

    Args:
        reader: file to prepared picture.
        batches: decoded pictures to batches.
        judge: batch to rows; only the device thread calls it.
        committer: rows to database and receipts.
        max_batch: the most pictures that `batches` puts into one.
        decode_threads: pictures decoded at once.
        asynchronous: whether the device computes while the judge does something else, see
            `DeviceThread`.
        on_device: called once by the device thread, before anything else.
        on_lost: ends the worker, whose device is lost.
        timing: is told how long each stage took.
    """

    def __init__(
        self,
        *,
        reader: PictureReader,
        batches: BatchQueue[InspectionRequest],
        judge: Judge,
        committer: Committer,
        max_batch: int,
        decode_threads: int,
        asynchronous: bool = False,
        on_device: Callable[[], None] = lambda: None,
        on_lost: Callable[[], None] = hand_back_and_end,
        timing: StageTiming | None = None,
    ) -> None:
        timing = timing or StageTiming()
        self._batches = batches
        self._committer = committer
        self._on_lost = on_lost
        # Of pictures in memory: one batch on the device (or two), one waits, two are being decoded.
        # A judged picture's pixels are gone; its row is bounded by the messages in hand.
        self._in_memory = Semaphore((5 if asynchronous else 4) * max_batch)
        self._unfinished = DelayQueue[InspectionRequest](self._decode_again, "unfinished")
        self._decoder = Decoder(
            reader,
            batches,
            committer,
            in_memory=self._in_memory,
            unfinished=self._unfinished,
            timing=timing,
        )
        self._decoders = DecodePool[InspectionRequest](decode_threads, self._decoder.decode)
        self.limit = BatchLimit(max_batch)
        self._device = Device(judge, committer, self.limit, self._lost, timing)
        self._device_thread = DeviceThread(
            batches,
            self._device,
            self.limit,
            in_memory=self._in_memory,
            timing=timing,
            asynchronous=asynchronous,
            on_device=on_device,
        )
        self._in_turn = FairLock()
        self.in_flight = InFlight()

    def start(self) -> None:
        """Start the threads."""
        self._committer.start()
        self._device_thread.start()
        self._decoders.start()
        self._unfinished.start()

    def drain(self) -> None:
        """Stop taking pictures: the batch on the device is finished, all others go back."""
        self._decoder.drain()
        self._in_memory.close()

    def stop(self) -> list[UUID]:
        """Drain, then wait until what is judged is committed.

        A picture whose file still does not come goes back as well: its reader may hang for ever.
        Returns the ids of these pictures, of which no task may be able to say what became of them.
        """
        deadline = time.monotonic() + STOP_TIMEOUT_S
        self.drain()
        _give_back(self._batches.close())
        _give_back(self._unfinished.close())
        _give_back(self._decoders.close())
        hung = self._decoders.wait(DECODERS_END_S)
        if hung:
            log.error("%d pictures were still being read; they go back to the queue", len(hung))
        _give_back(hung)
        self._device_thread.join(max(0.0, deadline - time.monotonic()))
        self._committer.stop(max(0.0, deadline - time.monotonic()))
        return [request.id for request in hung]

    def inspect(self, requests: Sequence[InspectionRequest]) -> Reply:
        """Start the inspection of `requests`; the reply has the outcomes that are committed.

        A picture fails with `DrainingError` when the worker stops before it was judged.
        """
        reply, now = Reply(len(requests), self.in_flight.finish), time.monotonic()
        for request in requests:
            request.reply, request.begun = reply, now
        self.in_flight.begin(len(requests))
        begun = 0
        late: list[InspectionRequest] = []
        with self._in_turn:  # messages begin in the order in which they were received
            while begun < len(requests) and (taken := self._in_memory.take(len(requests) - begun)):
                self._batches.expect(taken)
                if len(requests) > 1:
                    late += self._decoders.put(requests[begun : begun + taken])
                begun += taken
        if begun == len(requests) == 1:
            late = self._decoders.here(requests[0])
        _give_back(late)
        _give_back(requests[begun:])
        return reply

    def record(self, records: Sequence[InspectionRecord], producer: str | None) -> Reply:
        """Commit rows that need no judging: pictures whose fields were refused."""
        unique = {record.id: record for record in records}
        reply = Reply(len(unique))
        if unique:
            self._committer.put([CommitRequest(row, producer, reply) for row in unique.values()])
        return reply

    @property
    def lost(self) -> bool:
        """Whether the device is gone: a worker that stops for it must be started again."""
        return self._device.lost

    def _lost(self) -> None:
        self.drain()
        self._on_lost()

    def _decode_again(self, request: InspectionRequest) -> None:
        self._batches.expect(1)
        _give_back(self._decoders.put([request]))


def _give_back(requests: Iterable[InspectionRequest]) -> None:
    for request in requests:
        request.fail(DrainingError())
