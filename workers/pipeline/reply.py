"""What becomes of some pictures: filled in by whoever settles each, awaited as a whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from uuid import UUID

from db.inspections.records import Outcome


class DrainingError(Exception):
    """The worker is stopping: this picture goes back to the queue."""


class NotJudgedError(Exception):
    """The device refused this picture alone, with memory to spare: the picture may be to blame."""


class Reply:
    """The outcomes of `count` pictures. One lock a picture, where futures would take several.

    A picture ends once: what is said of it later (a decoder that comes back when the worker's stop
    has given up on it) changes nothing.

    Args:
        count: how many pictures, each with an id of its own, will be settled or fail.
        on_each: called when each of them ends; must not wait for this reply.
    """

    def __init__(self, count: int, on_each: Callable[[], None] = lambda: None) -> None:
        self.count = count
        self._on_each = on_each
        self._mutex = Lock()
        self._complete = Lock()
        if count:
            self._complete.acquire()
        self._ends: dict[UUID, Outcome | BaseException] = {}

    @property
    def outcomes(self) -> list[Outcome]:
        """Of the pictures that are committed by now."""
        return [end for _, end in self._ended() if not isinstance(end, BaseException)]

    @property
    def failures(self) -> dict[UUID, BaseException]:
        """Why pictures failed that have failed by now."""
        return {id_: end for id_, end in self._ended() if isinstance(end, BaseException)}

    def settle(self, id_: UUID, outcome: Outcome) -> None:
        """A picture's outcome is committed."""
        self._end(id_, outcome)

    def fail(self, id_: UUID, error: BaseException) -> None:
        """A picture has no outcome: its message must go back to the queue."""
        self._end(id_, error)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for every picture, whatever becomes of it; False after `timeout_s`."""
        complete = self._complete.acquire(timeout=-1 if timeout_s is None else timeout_s)
        if complete:
            self._complete.release()
        return complete

    def result(self) -> list[Outcome]:
        """Wait for every picture; their outcomes.

        Raises:
            BaseException: that of a picture that failed; `DrainingError` only if nothing worse
                happened.
        """
        return results([self])

    def _ended(self) -> list[tuple[UUID, Outcome | BaseException]]:
        with self._mutex:
            return list(self._ends.items())

    def _end(self, id_: UUID, end: Outcome | BaseException) -> None:
        with self._mutex:
            ended = len(self._ends)
            self._ends.setdefault(id_, end)
            if len(self._ends) == ended:
                return
            self._on_each()
            if ended + 1 == self.count:
                self._complete.release()


def results(replies: Sequence[Reply]) -> list[Outcome]:
    """Wait for every reply, even if one fails; their outcomes.

    Raises:
        BaseException: that of a picture that failed; `DrainingError` only if nothing worse
            happened.
    """
    for reply in replies:
        reply.wait()
    errors = [error for reply in replies for error in reply.failures.values()]
    if errors:
        raise next((e for e in errors if not isinstance(e, DrainingError)), errors[0])
    return [outcome for reply in replies for outcome in reply.outcomes]
