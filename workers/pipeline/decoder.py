"""One picture's decoding: on to the next batch, to its commit if it is rejected, or back."""

from __future__ import annotations

import time
from threading import Event

from db.inspections.records import InspectionRecord
from workers.pipeline.batch_queue import BatchQueue
from workers.pipeline.committer import Committer
from workers.pipeline.delay_queue import DelayQueue
from workers.pipeline.inspection_request import InspectionRequest
from workers.pipeline.reader import PictureReader
from workers.pipeline.reply import DrainingError
from workers.pipeline.semaphore import Semaphore
from workers.pipeline.stage_timing import Stage, StageTiming

UNFINISHED_S = 3.0  # a file that is still being written is read again for this long
LOOK_AGAIN_S = 0.2


class Decoder:
    """Decodes pictures, in whatever thread calls it.

    Args:
        reader: file to prepared picture.
        batches: takes what can be judged.
        committer: takes the rows of what cannot.
        in_memory: of pictures; one is given back for each that comes to no batch.
        unfinished: takes pictures whose files are still being written.
        timing: is told how long each took.
    """

    def __init__(
        self,
        reader: PictureReader,
        batches: BatchQueue[InspectionRequest],
        committer: Committer,
        *,
        in_memory: Semaphore,
        unfinished: DelayQueue[InspectionRequest],
        timing: StageTiming,
    ) -> None:
        self._reader = reader
        self._batches = batches
        self._committer = committer
        self._in_memory = in_memory
        self._unfinished = unfinished
        self._timing = timing
        self._draining = Event()

    def drain(self) -> None:
        """Read no more: what comes now goes back."""
        self._draining.set()

    def decode(self, request: InspectionRequest) -> None:
        """Read and decode a picture that its batch expects, and hand it on; never raises."""
        try:
            if self._draining.is_set():
                raise DrainingError
            began = time.perf_counter()
            found = self._reader.read(request)
            ended = time.perf_counter()
            self._timing.note(Stage.DECODE, 1, ended - began)
            if isinstance(found, InspectionRecord):
                if self._looks_again(request, found):
                    return
                request.row = found
                self._committer.put([request])
                self._drop()
                return
            request.picture, request.decoded_at = found, ended
            if not self._batches.put(request, lane=request.envelope.line):
                raise DrainingError
        except BaseException as error:
            self._drop()
            request.fail(error)

    def _looks_again(self, request: InspectionRequest, rejected: InspectionRecord) -> bool:
        """Whether a picture that came too early gets another turn; no decoder waits for it."""
        if time.monotonic() - request.begun > UNFINISHED_S or self._draining.is_set():
            return False
        if not self._reader.may_be_unfinished(request, rejected):
            return False
        self._batches.excuse()  # no batch waits for it either
        if self._unfinished.put(request, LOOK_AGAIN_S):
            return True
        self._batches.expect(1)
        return False

    def _drop(self) -> None:
        """A picture that was begun comes to no batch."""
        self._batches.excuse()
        self._in_memory.give(1)
