"""Which messages this worker holds, and which of them became tasks.

Between a message's way out of Redis and the beginning of its task lie kombu and Celery. What breaks
there raises into the event loop, or into a thread that nobody asks: the message is held, its lease
renewed, and no task of it will ever run.

A place in the pool is meant for each message held. So one that waits for its task while places are
free is stuck; while none is free it may wait for as long as the others take.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

from workers.broker.recent import Recent
from workers.health.awake_clock import AwakeClock

GRACE_S = 5.0  # a message that became no task within this is held without work
_MOST_STEP_S = 5.0  # see AwakeClock
_MOST_HANDED_BACK = 10_000  # by a worker that stops, or that lost its connection and goes on
_MOST_BLAMED = 1_000  # one that is buried, or goes to another worker, never becomes a task here


@dataclass(frozen=True, slots=True)
class Load:
    """What a worker holds, and what has moved since its start.

    Attributes:
        without_work: messages held without a task though there is room for one, and messages let
            go for that reason since a task last began.
        running: tasks.
        begun, ended: tasks since the start.
    """

    without_work: int = 0
    running: int = 0
    begun: int = 0
    ended: int = 0


class Deliveries:
    """Messages by delivery tag, from taking to settling. Pure but for its lock.

    Times are readings of a clock that `look` moves: noting a message must cost nothing.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._clock = AwakeClock(_MOST_STEP_S)
        self._now_s = self._full_at_s = 0.0
        self._waiting: dict[str, float] = {}  # since when, of messages that are no task yet
        self._running: set[str] = set()
        self._blamed = Recent(_MOST_BLAMED)
        self._handed_back = Recent(_MOST_HANDED_BACK)
        self._let_go = self._begun = self._ended = 0
        self.crashed = False  # this worker ends, and nobody told it to

    def taken(self, tag: str) -> None:
        """It goes on its way to Celery now."""
        with self._lock:
            self._waiting[tag] = self._now_s

    def begun(self, tag: str) -> None:
        """Its task runs."""
        with self._lock:
            self._waiting.pop(tag, None)
            self._blamed.discard(tag)
            self._running.add(tag)
            self._begun += 1
            self._let_go = 0

    def ended(self, tag: str) -> None:
        """Its task runs no more."""
        with self._lock:
            self._running.discard(tag)
            self._ended += 1

    def settled(self, tag: str) -> None:
        """It is acknowledged, given back, parked or buried: no task of it is expected."""
        with self._lock:
            self._waiting.pop(tag, None)

    def let_go(self, tag: str) -> None:
        """It is held no more, because no task of it began."""
        with self._lock:
            if self._waiting.pop(tag, None) is not None:
                self._let_go += 1

    def hand_back(self, tag: str) -> None:
        """This worker lives, and gives it back."""
        self._handed_back.add(tag)

    def handed_back(self, tag: object) -> bool:
        """Whether this worker gave it back, alive."""
        return tag in self._handed_back

    def blame(self, tag: str) -> None:
        """Taking it broke the worker, or its connection."""
        with self._lock:
            self._blamed.add(tag)

    def blameless(self, tag: str) -> bool:
        """Of a message given back by a living worker: whether that is no sign against it."""
        with self._lock:
            if tag in self._blamed:
                return False
            since = self._waiting.get(tag)
            return since is None or not (self.crashed or self._age_s(since) >= GRACE_S)

    def waits(self, tag: str) -> bool:
        """Whether it is held and no task yet."""
        with self._lock:
            return tag in self._waiting

    def look(self, now: float, places: int) -> None:
        """Move the clock to `now`, of a monotonic one; `places` is how many tasks can run."""
        with self._lock:
            self._now_s = self._clock.read(now)
            if len(self._running) >= places:
                self._full_at_s = self._now_s

    def stuck(self, after_s: float) -> list[str]:
        """The messages that have been held without a task for so long though there was room."""
        with self._lock:
            return [tag for tag, at in self._waiting.items() if self._age_s(at) >= after_s]

    def load(self) -> Load:
        """What it holds and what moved."""
        stuck = len(self.stuck(GRACE_S))
        with self._lock:
            return Load(stuck + self._let_go, len(self._running), self._begun, self._ended)

    def _age_s(self, since: float) -> float:
        return self._now_s - max(since, self._full_at_s)


deliveries = Deliveries()  # this process's
