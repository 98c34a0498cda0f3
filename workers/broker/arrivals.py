"""The way of messages from Redis to Celery: where those that killed workers are held up.

A message that came back from a dead worker is counted before it goes on. After some deaths it goes
alone, when the worker holds nothing else, so that no neighbour is blamed for what it does; what
arrives meanwhile waits behind it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from workers.broker.deliveries import deliveries
from workers.broker.fetch import Taken
from workers.broker.poison import Fate
from workers.broker.quarantine import CAME_BACK, Quarantine, suspect_key

LONGEST_WAIT_S = 30.0  # for the others to end; then it goes in their company, and counts less


@dataclass(slots=True)
class Turn:
    """A message whose turn it is; `key` is that of a suspect."""

    taken: Taken
    key: UUID | None = None
    fate: Fate | None = None  # None: not asked yet


class Arrivals:
    """The line of messages in front of Celery, of one channel. The worker's loop uses it.

    Args:
        in_hand: the messages that Celery has and that are not settled.
        quarantine: counts.
    """

    def __init__(self, in_hand: Callable[[], Sequence[str]], quarantine: Quarantine) -> None:
        self._in_hand = in_hand
        self._quarantine = quarantine
        self._line: deque[Turn] = deque()
        self._waits_since: float | None = None
        self._alone: str | None = None  # delivery tag, until it is a task

    @property
    def closed(self) -> bool:
        """Whether nothing more is to be taken: a message waits to be alone, or is."""
        return bool(self._line) or self._is_alone()

    def may_pass(self, taken: Taken) -> bool:
        """Whether a message need not join the line, as nearly all need not."""
        return not self.closed and CAME_BACK not in taken.item

    def tags(self) -> list[str]:
        """Of those that wait in line."""
        return [turn.taken.tag.decode(errors="replace") for turn in list(self._line)]

    def add(self, taken: Taken) -> None:
        """To the end of the line."""
        self._line.append(Turn(taken))

    def next(self) -> Turn | None:
        """The message whose turn it is now, counted if it is a suspect; None: nobody's."""
        if self._is_alone() or not self._line:
            return None
        turn = self._line[0]
        if turn.fate is None:
            turn.key = suspect_key(turn.taken.item)
            turn.fate = Fate.TOGETHER if turn.key is None else self._quarantine.fate(turn.key)
        if turn.fate is Fate.ALONE and self._in_hand():
            now = time.monotonic()
            if self._waits_since is None:
                self._waits_since = now
            if now - self._waits_since < LONGEST_WAIT_S:
                return None
            turn.fate = Fate.TOGETHER
        self._waits_since = None
        self._line.popleft()
        if turn.key is not None and turn.fate is not Fate.CONDEMNED:
            self._quarantine.begin(turn.key, alone=turn.fate is Fate.ALONE)
        return turn

    @contextmanager
    def handing_over(self, tag: str, turn: Turn) -> Iterator[None]:
        """While Celery is given a message under this delivery tag; whatever breaks is its fault."""
        deliveries.taken(tag)
        if turn.key is not None:
            self._quarantine.watch(tag, turn.key)
        if turn.fate is Fate.ALONE:
            self._alone = tag
        try:
            yield
        except BaseException:
            deliveries.blame(tag)
            raise

    def buried(self, turn: Turn) -> None:
        """A dead letter now: should a person send it again, it starts with a clean slate."""
        if turn.key is not None:
            self._quarantine.forget(turn.key)

    def clear(self) -> list[str]:
        """Empty the line; returns the tags of those that waited."""
        tags = self.tags()
        self._line.clear()
        return tags

    def _is_alone(self) -> bool:
        if self._alone is not None and not deliveries.waits(self._alone):
            self._alone = None
        return self._alone is not None
