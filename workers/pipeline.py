"""File to committed verdict: decode in parallel, judge in batches, commit, all overlapping.

    task threads ─▶ decode pool ─▶ batch queue ─▶ device thread ─▶ commit thread ─▶ futures
                        └──────────── rejected ────────────────────▲

Each picture is a future that its task waits for. A bounded number of pictures is in flight, so
a queue a million deep does not grow the worker.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event, Lock, Semaphore, Thread

from db.records import InspectionRecord, Outcome
from workers.batch_queue import BatchQueue
from workers.batching import MicroBatcher
from workers.committing import Committer, DrainingError, Pending
from workers.judging import Judge
from workers.observe import Stage, observers
from workers.reading import PictureReader
from workers.turnstile import Turnstile
from workers.work import PreparedPicture, Work

log = logging.getLogger(__name__)

STOP_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """A prepared picture that waits for its batch, since when (`perf_counter`), and who for."""

    picture: PreparedPicture
    done: Future[Outcome]
    since: float


class Pipeline:
    """Inspects pictures. `inspect` may be called from any number of threads.

    Args:
        reader: file to prepared picture.
        judge: batch to rows; only the device thread calls it.
        committer: rows to database and receipts.
        max_batch, max_delay_s: the micro-batcher's.
        decode_threads: pictures decoded at once.
        newest_first: whether a line's newest waiting picture goes first.
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
    ) -> None:
        self._reader = reader
        self._judge = judge
        self._committer = committer
        self._batches: BatchQueue[Waiting] = BatchQueue(
            MicroBatcher(max_batch, max_delay_s, newest_first)
        )
        self._decoders = ThreadPoolExecutor(decode_threads, thread_name_prefix="decode")
        self._device = Thread(target=self._run_device, name="device", daemon=True)
        # One batch on the device, one being filled, one being committed, one decoding ahead.
        self._slots = Semaphore(4 * max_batch)
        self._turnstile = Turnstile()
        self._draining = Event()
        self._count = Lock()
        self.begun = 0
        self.finished = 0

    def start(self) -> None:
        """Start the device and commit threads."""
        self._committer.start()
        self._device.start()

    def drain(self) -> None:
        """Stop taking pictures: the batch on the device is finished, all others go back."""
        self._draining.set()

    def stop(self) -> None:
        """Drain, then wait until what is judged is committed."""
        self.drain()
        for waiting in self._batches.close():
            waiting.done.set_exception(DrainingError())
        self._decoders.shutdown(wait=True, cancel_futures=False)
        self._device.join(STOP_TIMEOUT_S)
        self._committer.stop(STOP_TIMEOUT_S)

    def inspect(self, works: Sequence[Work]) -> list[Future[Outcome]]:
        """Start the inspection of `works`; each future gives the outcome that is committed.

        A future raises `DrainingError` when the worker stops before its picture was judged.
        """
        with self._turnstile:  # messages begin in the order in which they were received
            return [self._begin(work) for work in works]

    def record(self, record: InspectionRecord, producer: str | None) -> Future[Outcome]:
        """Commit a row that needs no judging: a picture whose fields were refused."""
        done: Future[Outcome] = Future()
        self._committer.put(Pending(record, producer, done))
        return done

    def _begin(self, work: Work) -> Future[Outcome]:
        done: Future[Outcome] = Future()
        while not self._slots.acquire(timeout=0.1):
            if self._draining.is_set():
                break
        else:
            with self._count:
                self.begun += 1
            done.add_done_callback(self._finish)
        if self._draining.is_set():
            done.set_exception(DrainingError())
        else:
            self._decoders.submit(self._decode, work, done)
        return done

    def _finish(self, _: Future[Outcome]) -> None:
        self._slots.release()
        with self._count:
            self.finished += 1

    def _decode(self, work: Work, done: Future[Outcome]) -> None:
        try:
            if self._draining.is_set():
                raise DrainingError
            with observers.timed(Stage.DECODE, 1):
                prepared = self._reader.read(work)
            if isinstance(prepared, InspectionRecord):
                self._committer.put(Pending(prepared, work.envelope.producer, done))
            elif not self._batches.put(
                Waiting(prepared, done, time.perf_counter()), lane=work.envelope.line
            ):
                raise DrainingError
        except BaseException as error:
            done.set_exception(error)

    def _run_device(self) -> None:
        while batch := self._batches.take():
            oldest = min(waiting.since for waiting in batch)
            observers.note(Stage.BATCH_WAIT, len(batch), time.perf_counter() - oldest)
            self._judge_batch(batch)

    def _judge_batch(self, batch: list[Waiting]) -> None:
        try:
            with observers.timed(Stage.INFER, len(batch)):
                rows = self._judge.judge([waiting.picture for waiting in batch])
        except Exception as error:
            if len(batch) > 1:  # a bad picture fails alone
                log.warning("a batch of %d failed, trying one by one: %s", len(batch), error)
                for item in batch:
                    self._judge_batch([item])
                return
            log.exception("picture %s could not be judged", batch[0].picture.work.id)
            batch[0].done.set_exception(error)
            return
        for row, waiting in zip(rows, batch, strict=True):
            producer = waiting.picture.work.envelope.producer
            self._committer.put(Pending(row, producer, waiting.done))
