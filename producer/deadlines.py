"""Calls back for each part without a receipt by its deadline, whatever Redis and workers do."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from uuid import UUID

from linewatch.errors import ConfigurationError
from producer.deadline_book import DeadlineBook, Expected, MissedDeadline
from producer.inbox import KeptReceipt
from producer.submission import Submission

log = logging.getLogger(__name__)

_SLOW_S = 0.5  # a callback holds up the next part's


class Deadlines:
    """A daemon thread that waits for deadlines, and for nothing else.

    It takes no lock that is held while the spool, Redis or a callback is waited for.

    Args:
        deadline_s: from the capture of a part's first picture to the receipt of its last.
        callback: called once for each part that misses it. It must return at once: the next part
            waits for it. An exception in it is logged and changes nothing.

    Raises:
        ConfigurationError: the deadline is no number of seconds above 0.
    """

    def __init__(self, deadline_s: float, callback: Callable[[MissedDeadline], object]) -> None:
        if not (math.isfinite(deadline_s) and deadline_s > 0):
            raise ConfigurationError(f"a deadline of {deadline_s} s is none; give seconds above 0")
        self._callback = callback
        self._book = DeadlineBook(deadline_s, datetime.now(UTC))
        self._changed = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
        self._thread.start()

    def expect(
        self,
        submission: Submission,
        camera: str,
        pictures: Sequence[UUID] = (),
        default: datetime | None = None,
    ) -> None:
        """A picture of a part was captured; its deadline runs, though nothing is handed over yet.

        Args:
            submission: what is said of it.
            camera: the one that took it, if the submission names no other.
            pictures: the ids under which it is about to be handed over.
            default: when it was captured, if the submission does not say.
        """
        now = datetime.now(UTC)
        expected = Expected(
            _key(submission, pictures),
            submission.captured_at or default or now,
            submission.part,
            submission.pass_number,
            tuple(submission.views or ()),
            submission.camera or camera,
        )
        with self._changed:
            self._book.expect(expected, pictures, now=now, clock_s=time.monotonic())
            self._changed.notify()

    def withdraw(self, pictures: Iterable[UUID], *, replaced: bool = False) -> None:
        """No receipt will come for these; see `DeadlineBook.withdraw`."""
        with self._changed:
            self._book.withdraw(pictures, replaced=replaced)

    def answered(self, receipt: KeptReceipt) -> KeptReceipt:
        """A receipt came; returned with `late` set if its part's deadline was told before."""
        with self._changed:
            late = self._book.answered(receipt.id)
        return receipt.model_copy(update={"late": True}) if late else receipt

    def stop(self, timeout_s: float = 5.0) -> None:
        """Tell no more."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while (missed := self._next()) is not None:
            for part in missed:
                self._tell(part)

    def _next(self) -> list[MissedDeadline] | None:
        """Wait for the next deadline; None when there will be no other."""
        with self._changed:
            while not self._stopped:
                now_s = time.monotonic()
                if missed := self._book.due(now_s):
                    return missed
                due_s = self._book.next_due_s()
                self._changed.wait(None if due_s is None else max(0.0, due_s - now_s))
        return None

    def _tell(self, part: MissedDeadline) -> None:
        began = time.monotonic()
        try:
            self._callback(part)
        except Exception:
            log.exception("on_deadline failed for part %s", part.part)
        took_s = time.monotonic() - began
        if took_s > _SLOW_S:
            log.warning("on_deadline took %.1f s; deadlines that ended meanwhile waited", took_s)


def _key(submission: Submission, pictures: Sequence[UUID]) -> tuple[object, ...]:
    """What pictures of one part have in common; without a part's number, tries of one file."""
    if submission.part is not None:
        return ("part", submission.part, submission.pass_number)
    if submission.seen is not None:
        return ("file", submission.seen.path, submission.seen.mtime_ns)
    return ("picture", *pictures)
