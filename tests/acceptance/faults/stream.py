"""A camera that never stops: pictures submitted at a steady rate while things break."""

from __future__ import annotations

import time
from threading import Event, Thread
from uuid import UUID

from linewatch.errors import SpoolFullError
from producer.camera import Camera
from tests.acceptance.faults.mode import times
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

    def settle(self, timeout_s: float) -> float:
        """Stop, wait until every picture has its receipt; returns how long that took, in s.

        Fails where not a single receipt comes for `timeout_s`.
        """
        self.stop()
        began = time.monotonic()
        waiting = self.camera.spool.count()
        while not self.camera.wait(timeout=timeout_s):
            left = self.camera.status()
            assert left.spool.pictures < waiting, f"no receipt for {timeout_s} s: {left}"
            waiting = left.spool.pictures
        return time.monotonic() - began

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
