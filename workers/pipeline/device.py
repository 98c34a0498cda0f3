"""Gives batches to the judge, and knows what to do when the device fails."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.pipeline.batch_limit import BatchLimit
from workers.pipeline.committer import Committer
from workers.pipeline.device_errors import DeviceError, device_error
from workers.pipeline.inspection_request import InspectionRequest
from workers.pipeline.reply import DrainingError, NotJudgedError
from workers.pipeline.stage_timing import Stage, StageTiming

if TYPE_CHECKING:
    from db.inspections.records import InspectionRecord
    from workers.pipeline.judge import Judge
    from workers.pipeline.launched import Launched

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class UnderWay:
    """A batch that the device was given, when (`perf_counter`), and what became of that."""

    batch: Sequence[InspectionRequest]
    began: float
    launched: Launched | None = None
    failure: Exception | None = None


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
        timing: is told how long the device took.
    """

    def __init__(
        self,
        judge: Judge,
        committer: Committer,
        limit: BatchLimit,
        on_lost: Callable[[], None],
        timing: StageTiming,
    ) -> None:
        self._judge = judge
        self._committer = committer
        self._limit = limit
        self._on_lost = on_lost
        self._timing = timing
        self._free_since = 0.0
        self.lost = False

    def judge(self, batch: Sequence[InspectionRequest]) -> None:
        """Judge a batch and hand its rows on; never raises."""
        self.finish(self.launch(batch))

    def launch(self, batch: Sequence[InspectionRequest]) -> UnderWay:
        """Give the device a batch; `finish` it, and before it all that were launched earlier.

        Never raises: what fails is dealt with when the batch is finished, in its turn.
        """
        under_way = UnderWay(batch, time.perf_counter())
        if not self.lost:
            try:
                under_way.launched = self._judge.launch(batch)
            except Exception as error:
                under_way.failure = error
        return under_way

    def finish(self, under_way: UnderWay) -> None:
        """Wait for a batch and hand its rows on; never raises."""
        if self.lost:
            self._give_back(under_way.batch)
            return
        failure = under_way.failure
        if under_way.launched is not None:
            try:
                rows = self._judge.finish(under_way.launched)
            except Exception as error:
                failure = error
        if failure is None:
            self._judged(under_way, rows)
        else:  # outside the handler: its traceback holds the pixels
            under_way.launched = under_way.failure = None
            self._failed(under_way.batch, failure)

    def _judged(self, under_way: UnderWay, rows: Sequence[InspectionRecord]) -> None:
        now, batch = time.perf_counter(), under_way.batch
        # A batch that waited behind another one did not take the device that long.
        self._timing.note(Stage.INFER, len(batch), now - max(under_way.began, self._free_since))
        self._free_since = now
        self._limit.fitted(len(batch))
        for request, row in zip(batch, rows, strict=True):
            request.judged(row)
        self._committer.put(batch)

    def _failed(self, batch: Sequence[InspectionRequest], error: Exception) -> None:
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
        (request,) = batch
        log.error("picture %s could not be judged", request.id, exc_info=error)
        if kind is None:
            refused = NotJudgedError(f"picture {request.id} could not be judged: {error!r:.200}")
            refused.__cause__ = error
            request.fail(refused)
        else:
            request.fail(error)

    @staticmethod
    def _give_back(batch: Sequence[InspectionRequest]) -> None:
        for request in batch:
            request.fail(DrainingError())


def _free() -> None:
    """Give memory that torch keeps for later back to the device."""
    import torch

    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.empty_cache()
