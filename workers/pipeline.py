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
from dataclasses import dataclass
from threading import Event, Lock, Thread
from uuid import UUID

from db.records import InspectionRecord
from workers.batch_limit import BatchLimit
from workers.batch_queue import BatchQueue
from workers.batching import MicroBatcher
from workers.committing import Committer, Pending
from workers.credits import Credits
from workers.decode_pool import DecodePool
from workers.device import Device, Waiting
from workers.ending import hand_back_and_end
from workers.judging import Judge
from workers.observe import Stage, observers
from workers.reading import PictureReader
from workers.reply import DrainingError, Reply
from workers.turnstile import Turnstile
from workers.work import Work

log = logging.getLogger(__name__)

STOP_TIMEOUT_S = 20.0  # of all steps; systemd and Compose kill after 30 s
DECODERS_END_S = 5.0  # what a slow share still gives is not judged any more


@dataclass(frozen=True, slots=True, eq=False)
class Undecoded:
    """A picture that waits for a decoder, and who waits for it."""

    work: Work
    reply: Reply


class Pipeline:
    """Inspects pictures. `inspect` may be called from any number of threads.

    Args:
        reader: file to prepared picture.
        judge: batch to rows; only the device thread calls it.
        committer: rows to database and receipts.
        max_batch, max_delay_s: the micro-batcher's.
        decode_threads: pictures decoded at once.
        newest_first: whether a line's newest waiting picture goes first.
        on_device: called once by the device thread, before anything else.
        on_lost: ends the worker, whose device is lost.
    """

    def __init__(
        self,
        *,
        reader: PictureReader,
        judge: Judge,
        committer: Committer,
        max_batch: int,
        max_delay_s: float,
        decode_threads: int,
        newest_first: Callable[[str], bool] = lambda line: False,
        on_device: Callable[[], None] = lambda: None,
        on_lost: Callable[[], None] = hand_back_and_end,
    ) -> None:
        self._reader = reader
        self._committer = committer
        self._batches: BatchQueue[Waiting] = BatchQueue(
            MicroBatcher(max_batch, max_delay_s, newest_first)
        )
        self._decoders: DecodePool[Undecoded] = DecodePool(decode_threads, self._decode)
        self.limit = BatchLimit(max_batch)
        self._on_device = on_device
        self._on_lost = on_lost
        self._device = Device(judge, committer, self.limit, self._lost)
        self._device_thread = Thread(target=self._run_device, name="device", daemon=True)
        # Of pictures in memory: one batch on the device, one waits for it, two are being decoded.
        # A judged picture's pixels are gone; its row is bounded by the messages in hand.
        self._credits = Credits(4 * max_batch)
        committer.on_busy = self._batches.downstream
        self._turnstile = Turnstile()
        self._draining = Event()
        self._count = Lock()
        self.begun = 0
        self.finished = 0

    def start(self) -> None:
        """Start the threads."""
        self._committer.start()
        self._device_thread.start()
        self._decoders.start()

    def drain(self) -> None:
        """Stop taking pictures: the batch on the device is finished, all others go back."""
        self._draining.set()
        self._credits.close()

    def stop(self) -> list[UUID]:
        """Drain, then wait until what is judged is committed.

        A picture whose file still does not come goes back as well: its reader may hang for ever.
        Returns the ids of these pictures, of which no task may be able to say what became of them.
        """
        deadline = time.monotonic() + STOP_TIMEOUT_S
        self.drain()
        for waiting in self._batches.close():
            waiting.reply.fail(waiting.picture.work.id, DrainingError())
        _give_back(self._decoders.close())
        hung = self._decoders.wait(DECODERS_END_S)
        if hung:
            log.error("%d pictures were still being read; they go back to the queue", len(hung))
        _give_back(hung)
        self._device_thread.join(max(0.0, deadline - time.monotonic()))
        self._committer.stop(max(0.0, deadline - time.monotonic()))
        return [item.work.id for item in hung]

    def inspect(self, works: Sequence[Work]) -> Reply:
        """Start the inspection of `works`; the reply has the outcomes that are committed.

        A picture fails with `DrainingError` when the worker stops before it was judged.
        """
        reply = Reply(len(works), self._finish)
        with self._count:
            self.begun += len(works)
        begun = 0
        late: list[Undecoded] = []
        with self._turnstile:  # messages begin in the order in which they were received
            while begun < len(works) and (taken := self._credits.take(len(works) - begun)):
                self._batches.expect(taken)
                if len(works) > 1:
                    late += self._decoders.put(
                        Undecoded(work, reply) for work in works[begun : begun + taken]
                    )
                begun += taken
        if begun == len(works) == 1:
            late = self._decoders.here(Undecoded(works[0], reply))
        _give_back(late)
        for work in works[begun:]:
            reply.fail(work.id, DrainingError())
        return reply

    def record(self, records: Sequence[InspectionRecord], producer: str | None) -> Reply:
        """Commit rows that need no judging: pictures whose fields were refused."""
        unique = {record.id: record for record in records}
        reply = Reply(len(unique))
        if unique:
            self._committer.put([Pending(record, producer, reply) for record in unique.values()])
        return reply

    @property
    def lost(self) -> bool:
        """Whether the device is gone: a worker that stops for it must be started again."""
        return self._device.lost

    def _lost(self) -> None:
        self.drain()
        self._on_lost()

    def _finish(self) -> None:
        with self._count:
            self.finished += 1

    def _decode(self, item: Undecoded) -> None:
        work, reply = item.work, item.reply
        try:
            if self._draining.is_set():
                raise DrainingError
            began = time.perf_counter()
            prepared = self._reader.read(work)
            ended = time.perf_counter()
            observers.note(Stage.DECODE, 1, ended - began)
            if isinstance(prepared, InspectionRecord):
                self._committer.put([Pending(prepared, work.envelope.producer, reply)])
                self._drop()
            elif not self._batches.put(Waiting(prepared, reply, ended), lane=work.envelope.line):
                raise DrainingError
        except BaseException as error:
            self._drop()
            reply.fail(work.id, error)

    def _drop(self) -> None:
        """A picture that was begun comes to no batch."""
        self._batches.excuse()
        self._credits.give(1)

    def _run_device(self) -> None:
        self._on_device()
        while batch := self._batches.take(self.limit.value):
            oldest = min(waiting.since for waiting in batch)
            observers.note(Stage.BATCH_WAIT, len(batch), time.perf_counter() - oldest)
            size = len(batch)
            self._device.judge(batch)
            del batch  # or its pixels stay until the next batch is taken
            self._credits.give(size)


def _give_back(items: Iterable[Undecoded]) -> None:
    for item in items:
        item.reply.fail(item.work.id, DrainingError())
