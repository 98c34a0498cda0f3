"""Gives batches to the judge, and knows what to do when the device fails."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.batch_limit import BatchLimit
from workers.committing import Committer, Pending
from workers.device_errors import DeviceError, device_error
from workers.observe import Stage, observers
from workers.reply import DrainingError, NotJudgedError, Reply
from workers.work import PreparedPicture

if TYPE_CHECKING:
    from workers.judging import Judge

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """A prepared picture that waits for its batch, who for, and since when (`perf_counter`)."""

    picture: PreparedPicture
    reply: Reply
    since: float


class Device:
    """Judges batches, in halves where a whole one fails. Used by one thread.

    A bad picture is found by halving: of 32 it costs 11 forwards, and fails alone. Too little
    memory halves the limit as well, and is no picture's fault. Of a device that is gone, all
    pictures go back to the queue, and the process ends: nothing else helps.

    Args:
        judge: prepared pictures to rows.
        committer: takes the rows.
        limit: how many pictures the device is given at once; halved here.
        on_lost: called once, when the device is lost; must not block.
    """

    def __init__(
        self,
        judge: Judge,
        committer: Committer,
        limit: BatchLimit,
        on_lost: Callable[[], None],
    ) -> None:
        self._judge = judge
        self._committer = committer
        self._limit = limit
        self._on_lost = on_lost
        self.lost = False

    def judge(self, batch: Sequence[Waiting]) -> None:
        """Judge a batch and hand its rows on; never raises."""
        if self.lost:
            self._give_back(batch)
            return
        try:
            with observers.timed(Stage.INFER, len(batch)):
                rows = self._judge.judge([waiting.picture for waiting in batch])
        except Exception as error:
            failure = error
        else:
            self._limit.fitted(len(batch))
            self._committer.put(
                [
                    Pending(row, waiting.picture.work.envelope.producer, waiting.reply)
                    for row, waiting in zip(rows, batch, strict=True)
                ]
            )
            return
        self._failed(batch, failure)  # outside the handler: its traceback holds the pixels

    def _failed(self, batch: Sequence[Waiting], error: Exception) -> None:
        kind = device_error(error)
        if kind is DeviceError.LOST:
            log.critical("the device is lost, this worker ends itself: %s", error)
            self.lost = True
            self._give_back(batch)
            self._on_lost()
            return
        if kind is DeviceError.OUT_OF_MEMORY:
            self._limit.too_many(len(batch))
            log.warning(
                "no room on the device for %d pictures; at most %d from now on: %s",
                len(batch),
                self._limit.value,
                error,
            )
            error.__traceback__ = None
            _free()
        if len(batch) > 1:
            if kind is None:
                log.warning("a batch of %d failed, trying its halves: %s", len(batch), error)
            half = len(batch) // 2
            self.judge(batch[:half])
            self.judge(batch[half:])
            return
        work = batch[0].picture.work
        log.error("picture %s could not be judged", work.id, exc_info=error)
        if kind is None:
            refused = NotJudgedError(f"picture {work.id} could not be judged: {error!r:.200}")
            refused.__cause__ = error
            batch[0].reply.fail(work.id, refused)
        else:
            batch[0].reply.fail(work.id, error)

    @staticmethod
    def _give_back(batch: Sequence[Waiting]) -> None:
        for waiting in batch:
            waiting.reply.fail(waiting.picture.work.id, DrainingError())


def _free() -> None:
    """Give memory that torch keeps for later back to the device."""
    import torch

    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.empty_cache()
