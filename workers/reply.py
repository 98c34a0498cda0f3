"""What becomes of some pictures: filled in by whoever settles each, awaited as a whole."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from uuid import UUID

from db.records import Outcome


class DrainingError(Exception):
    """The worker is stopping: this picture goes back to the queue."""


class NotJudgedError(Exception):
    """The device refused this picture alone, with memory to spare: the picture may be to blame."""


class Reply:
    """The outcomes of `count` pictures. One lock a picture, where futures would take several.

    Args:
        count: how many pictures will be settled or fail.
        on_each: called after each of them.
    """

    def __init__(self, count: int, on_each: Callable[[], None] = lambda: None) -> None:
        self._left = count
        self._on_each = on_each
        self._mutex = Lock()
        self._complete = Lock()
        if count:
            self._complete.acquire()
        self.outcomes: list[Outcome] = []
        self.failures: dict[UUID, BaseException] = {}

    def settle(self, outcome: Outcome) -> None:
        """A picture's outcome is committed."""
        self.outcomes.append(outcome)
        self._one()

    def fail(self, id_: UUID, error: BaseException) -> None:
        """A picture has no outcome: its message must go back to the queue."""
        self.failures[id_] = error
        self._one()

    def wait(self) -> None:
        """Wait for every picture, whatever becomes of it."""
        with self._complete:
            pass

    def result(self) -> list[Outcome]:
        """Wait for every picture; their outcomes.

        Raises:
            BaseException: that of a picture that failed; `DrainingError` only if nothing worse
                happened.
        """
        self.wait()
        if self.failures:
            errors = list(self.failures.values())
            raise next((e for e in errors if not isinstance(e, DrainingError)), errors[0])
        return self.outcomes

    def _one(self) -> None:
        self._on_each()
        with self._mutex:
            self._left -= 1
            complete = self._left == 0
        if complete:
            self._complete.release()
