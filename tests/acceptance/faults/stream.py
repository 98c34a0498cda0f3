"""A camera that never stops: pictures submitted at a steady rate while things break."""

from __future__ import annotations

import time
from collections.abc import Sequence
from threading import Event, Thread
from uuid import UUID

from linewatch.errors import SpoolFullError
from producer.camera import Camera
from tests.acceptance.faults.mode import times
from tests.acceptance.faults.results import Recovery
from tests.acceptance.live import Live

MOST_WAITING = times(short=200, long=1000)


class Stream:
    """Submits pictures of a small stock, over and over, each with an id of its own.

    It pauses while many wait for their receipts: a machine that is slower than the rate would
    have a backlog at the end whose working off tells nothing of the fault.

    Args:
        plant: where to.
        rate: pictures a second.
        images: how many pictures a burst, that is, a message.
    """

    def __init__(self, plant: Live, rate: float, *, images: int = 4, **settings: object) -> None:
        self._plant = plant
        self._pause_s = images / rate
        self._stock = [plant.picture(size=64) for _ in range(8)]
        self._images = images
        self._stop = Event()
        self.accepted: list[UUID] = []
        self.slowest_s = 0.0
        self.camera: Camera = plant.camera(**settings)
        self._thread = Thread(target=self._run, name="stream", daemon=True)

    def __enter__(self) -> Stream:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.camera.close()

    def stop(self) -> list[UUID]:
        """Submit no more; returns the ids of all that was accepted."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=30)
        return self.accepted

    def settle(self, timeout_s: float) -> Recovery:
        """See `settled`."""
        return settled([self], timeout_s)

    def wait(self, timeout_s: float) -> None:
        """Until every picture has its receipt."""
        waiting = self.camera.spool.count()
        while not self.camera.wait(timeout=timeout_s):
            left = self.camera.status()
            assert left.spool.pictures < waiting, f"no receipt for {timeout_s} s: {left}"
            waiting = left.spool.pictures

    def _run(self) -> None:
        number = 0
        while not self._stop.wait(self._pause_s):
            if self.camera.spool.count() > MOST_WAITING:
                continue
            burst = [self._stock[(number + n) % len(self._stock)] for n in range(self._images)]
            began = time.perf_counter()
            try:
                self.accepted += self.camera.submit_many(burst)
            except SpoolFullError:
                continue  # told so, hence not accepted
            self.slowest_s = max(self.slowest_s, time.perf_counter() - began)
            number += self._images


def settled(streams: Sequence[Stream], timeout_s: float) -> Recovery:
    """Stop all streams of a plant, then wait until each picture has its receipt.

    The first receipt says that the line is back. The last one says how fast this machine works off
    what had gathered.

    Fails where not a single receipt comes for `timeout_s`.
    """
    plant = streams[0]._plant
    began, seen = time.monotonic(), len(plant.receipts)
    for stream in streams:  # all of them, before any is waited for
        stream.stop()
    backlog = _waiting(streams)
    plant.until(lambda: len(plant.receipts) > seen or not _waiting(streams), timeout_s, "a receipt")
    recover_s = time.monotonic() - began
    for stream in streams:
        stream.wait(timeout_s)
    return Recovery(recover_s, backlog, time.monotonic() - began)


def _waiting(streams: Sequence[Stream]) -> int:
    return sum(stream.camera.spool.count() for stream in streams)
