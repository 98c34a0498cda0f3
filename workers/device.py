"""Gives batches to the judge, and knows what to do when the device fails."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.batch_limit import BatchLimit
from workers.committing import Committer, Pending
from workers.device_errors import DeviceError, device_error
from workers.observe import Stage, observers
from workers.reply import NotJudgedError, Reply
from workers.work import PreparedPicture

if TYPE_CHECKING:
    from workers.judging import Judge

log = logging.getLogger(__name__)

EXIT_CODE = 75  # EX_TEMPFAIL: start another one


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """A prepared picture that waits for its batch, who for, and since when (`perf_counter`)."""

    picture: PreparedPicture
    reply: Reply
    since: float


class Device:
    """Judges batches, in halves where a whole one fails. Used by one thread.

    A bad picture is found by halving: of 32 it costs 11 forwards, and fails alone. Too little
    memory halves the limit as well, and is no picture's fault. A device that is gone ends the
    process: its messages are unacknowledged, and come back to a worker that lives.

    Args:
        judge: prepared pictures to rows.
        committer: takes the rows.
        limit: how many pictures the device is given at once; halved here.
    """

    def __init__(self, judge: Judge, committer: Committer, limit: BatchLimit) -> None:
        self._judge = judge
        self._committer = committer
        self._limit = limit

    def judge(self, batch: Sequence[Waiting]) -> None:
        """Judge a batch and hand its rows on; never raises."""
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
            _end(error)
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


def _end(error: Exception) -> None:
    """End this process: a context that lost its device serves nobody, and clean-up may hang."""
    log.critical("the device is lost, this worker ends itself: %s", error)
    logging.shutdown()
    os._exit(EXIT_CODE)


def _free() -> None:
    """Give memory that torch keeps for later back to the device."""
    import torch

    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
