"""What the pipeline tells those who watch it: metrics, and tests that break it on purpose."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum


class Stage(StrEnum):
    """A step of a picture's way through the worker."""

    QUEUE_WAIT = "queue_wait"  # from the camera's sending to this worker's receiving
    RECEIVE = "receive"
    DECODE = "decode"
    BATCH_WAIT = "batch_wait"  # of the picture that waited longest for its batch
    INFER = "infer"
    COMMIT = "commit"
    RECEIPT = "receipt"


Observer = Callable[[Stage, int, float], None]  # stage, pictures, seconds


class StageTiming:
    """Calls each observer after a stage has ended well. With none, it costs two clock reads."""

    def __init__(self) -> None:
        self._observers: list[Observer] = []

    def add(self, observer: Observer) -> None:
        """Let `observer` see every stage from now on."""
        self._observers.append(observer)

    @contextmanager
    def timed(self, stage: Stage, pictures: int) -> Iterator[None]:
        """Time a stage that handles `pictures` pictures."""
        began = time.perf_counter()
        yield
        self.note(stage, pictures, time.perf_counter() - began)

    def note(self, stage: Stage, pictures: int, seconds: float) -> None:
        """Say that a stage took `seconds`, where no block of code is that stage."""
        for observer in self._observers:
            observer(stage, pictures, seconds)
