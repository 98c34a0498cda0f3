"""A worker that looks alive and does nothing ends itself, so that its supervisor starts another.

Redis consumers are known to fall silent after a reset connection, and a device can hang for good.
Neither raises an error, so the only honest test is whether work gets done while there is some.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Vitals:
    """What a worker shows at one moment.

    Attributes:
        waiting: messages in the queue.
        received: messages received since the start.
        in_flight: pictures being worked on.
        finished: pictures finished since the start.
        holding: whether it holds what it has because the database is away, or the share that
            the pictures lie on. Another worker would have to wait as well.
        without_work: messages held of which no task began, though there was room for one.
    """

    waiting: int
    received: int
    in_flight: int
    finished: int
    holding: bool
    without_work: int = 0


class Watchdog:
    """Compares vitals over time. Pure: the caller brings the clock.

    Args:
        patience_s: how long nothing may happen while there is work, in seconds.
    """

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._received = self._finished = -1
        self._since = 0.0

    def complaint(self, vitals: Vitals, now: float) -> str | None:
        """What is wrong, once it has been wrong for `patience_s`; None while all is well."""
        busy = vitals.in_flight > 0
        moved = vitals.finished != self._finished or vitals.received != self._received
        idle = not busy and not vitals.waiting and not vitals.without_work
        if moved or idle or vitals.holding:
            self._received, self._finished = vitals.received, vitals.finished
            self._since = now
            return None
        if now - self._since < self._patience_s:
            return None
        if busy:
            return f"{vitals.in_flight} pictures are in flight and none was finished"
        if vitals.without_work:
            return f"{vitals.without_work} messages are held without work and no task began"
        return f"{vitals.waiting} messages wait and none was received"
