"""The way in for a camera: `Camera(...).submit(path)` returns in milliseconds."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from uuid import UUID

from linewatch.errors import ConfigurationError, SpoolError
from linewatch.settings import Settings, get_settings
from producer.admission import Entry
from producer.contract import SigningKeys
from producer.deadline_book import MissedDeadline
from producer.deadlines import Deadlines
from producer.hashing import look
from producer.inbox import Inbox, KeptReceipt
from producer.limits import Limits
from producer.listener import Listener
from producer.messages import new_burst
from producer.part_views import PartViews, checked_views
from producer.sender import Sender, SenderState
from producer.spool import Spool, SpoolStatus
from producer.submission import Station, Submission, to_entry

_POLL_S = 0.02
_DEADLINE_POLL_S = 0.02  # a receipt that came just in time is known so soon
_HAND_OVER_S = 1.0  # how long `close` waits for the broker to take what is queued


@dataclass(frozen=True, slots=True)
class CameraStatus:
    """What waits in the spool, and how the sender is doing."""

    spool: SpoolStatus
    sender: SenderState


class Camera:
    """One camera of one line. Make it once and keep it: it holds a spool and a sender thread.

    Safe to share between threads. Not usable in a forked child: make one in each process.

    Args:
        line, camera, product: up to 64 printable characters each.
        spool: the spool's file; empty: one for this line and camera in the settings' spool folder.
            Several processes may use one spool; one of them drains it.
        settings: empty: from the environment.
        on_receipt: called in a thread of its own with each receipt that clears a picture of this
            spool while this object lives. An exception in it is logged and changes nothing.
        deadline_s: from the capture of a part's first picture to the receipt of its last.
        on_deadline: called once, in a thread that nothing else holds up, for each part that this
            object was given and that has no receipts by its deadline. It must return at once.

    Raises:
        SubmissionError: a name is not usable.
        ConfigurationError: the signing keys are malformed, a package is missing, or only one of
            `deadline_s` and `on_deadline` is given.
        SpoolError: the spool cannot be opened.
    """

    def __init__(
        self,
        line: str,
        camera: str,
        product: str,
        spool: str | os.PathLike[str] | None = None,
        settings: Settings | None = None,
        on_receipt: Callable[[KeptReceipt], object] | None = None,
        *,
        deadline_s: float | None = None,
        on_deadline: Callable[[MissedDeadline], object] | None = None,
    ) -> None:
        self._settings = settings or get_settings()
        self.station = Station.checked(line, camera, product)
        SigningKeys.parse(self._settings.signing_keys.get_secret_value())  # say now what is wrong
        path = self.station.spool_path(self._settings) if spool is None else Path(spool)
        self._spool = Spool(path, Limits.from_settings(self._settings), self._settings.spool_sync)
        self._process = os.getpid()
        self._closed = threading.Event()
        self._deadlines = _deadlines(deadline_s, on_deadline)
        self._listeners = _listeners(self._spool, on_receipt, self._deadlines)
        self._sender = Sender(self._spool.path, self._settings)
        try:
            self._sender.start()
        except ConfigurationError:
            self._close_files()
            raise
        atexit.register(self.close)

    @property
    def spool(self) -> Spool:
        """The spool this camera writes to."""
        return self._spool

    def submit(
        self,
        path: str | os.PathLike[str],
        part: str | None = None,
        lot: str | None = None,
        captured_at: datetime | None = None,
        *,
        pass_number: int | None = None,
        views: Sequence[str] | None = None,
        work_order: str | None = None,
        purpose: str | None = None,
        trace_id: str | None = None,
        sha256: str | None = None,
    ) -> UUID:
        """Accept one picture; when it returns, the picture is in the spool, on disk.

        Args:
            path: where the worker will find it; made absolute, unless it is an s3:// URI.
            part: the part's serial number.
            lot: the lot it belongs to.
            captured_at: with a time zone; empty: now.
            pass_number: the part's pass through the line, from 1.
            views: the cameras whose pictures make this part's pass complete.
            work_order: what the part is made for.
            purpose: `ordinary`, `challenge` or `study`; empty: ordinary.
            trace_id: a W3C trace id, 32 lower-case hex digits.
            sha256: of the picture's file, in lower-case hex; another one is rejected.

        Returns:
            The picture's id, under which its verdict is stored.

        Raises:
            SubmissionError: a field cannot be used; the message says which.
            SpoolFullError: there is no room, see `LINEWATCH_SPOOL_WHEN_FULL`.
            SpoolError: the spool cannot be written, or this camera is closed.
        """
        return self.accept(
            Submission(
                path,
                part,
                lot,
                captured_at,
                pass_number=pass_number,
                views=views,
                work_order=work_order,
                purpose=purpose,
                trace_id=trace_id,
                sha256=sha256,
            )
        )

    def accept(self, submission: Submission) -> UUID:
        """`submit`, for a picture described by an object."""
        return self._accept([submission], burst=None)[0]

    def part(
        self,
        serial: str,
        views: Sequence[str],
        *,
        lot: str | None = None,
        pass_number: int | None = None,
        work_order: str | None = None,
        purpose: str | None = None,
        trace_id: str | None = None,
    ) -> PartViews:
        """Gather the views of one part, which then travel in one message.

        Args:
            serial: the part's serial number.
            views: the cameras that see it, 64 at most; the pictures are theirs, not this camera's.
            lot, pass_number, work_order, purpose, trace_id: as in `submit`.

        Raises:
            SubmissionError: there are no views.
        """
        common = Submission(
            "",
            serial,
            lot,
            pass_number=pass_number,
            views=checked_views(serial, views),
            work_order=work_order,
            purpose=purpose,
            trace_id=trace_id,
        )
        return PartViews(common, began=self._expect, submit=self.submit_many)

    def submit_many(self, pictures: Iterable[str | os.PathLike[str] | Submission]) -> list[UUID]:
        """Accept a burst: all or none, in one message if they are 64 at most.

        Raises what `submit` raises.
        """
        burst = [p if isinstance(p, Submission) else Submission(p) for p in pictures]
        return self._accept(burst, burst=new_burst()) if burst else []

    def content(self, path: Path) -> str | None:
        """The hash that `submit` would note of a file now; None: none, or it cannot be read."""
        copied = self._settings.spool_copy
        found = look(path, sys.maxsize if copied else self._settings.seen_max_bytes)
        return found.seen.sha256 if found else None

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until everything in the spool has its receipt; False after `timeout` seconds.

        Raises what `check` raises; so does `wait_sent`.
        """
        return self._wait_for(lambda: self._spool.count() == 0, timeout)

    def wait_sent(self, timeout: float | None = None) -> bool:
        """Wait until the broker has taken everything; False after `timeout` seconds."""
        return self._wait_for(lambda: self._spool.queued() == 0, timeout)

    def status(self) -> CameraStatus:
        """What waits, and whether the broker takes it."""
        return CameraStatus(self._spool.status(), self._sender.state)

    def close(self, timeout: float = _HAND_OVER_S) -> None:
        """Hand over what the broker takes within `timeout` seconds; the rest stays in the spool."""
        if self._closed.is_set() or os.getpid() != self._process:
            return
        self._closed.set()
        atexit.unregister(self.close)
        self._hand_over(timeout)
        self._sender.stop()
        self._close_files()

    def check(self) -> None:
        """See that what is accepted can ever be sent.

        Raises:
            ConfigurationError: a package is missing: no waiting brings it.
        """
        self._sender.check()

    def _close_files(self) -> None:
        for listener in self._listeners:
            listener.stop()
        if self._deadlines:
            self._deadlines.stop()
        self._spool.close()

    def __enter__(self) -> Camera:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _accept(self, submissions: list[Submission], burst: str | None) -> list[UUID]:
        if os.getpid() != self._process:
            raise SpoolError("this Camera belongs to another process; make one after the fork")
        if self._closed.is_set():
            raise SpoolError("this Camera is closed; make another")
        entries: list[Entry] = []
        ids: list[UUID] = []
        try:
            for submission in submissions:
                entry = self._entry(submission, burst)
                entries.append(entry)
                ids.append(UUID(entry.id))
                self._expect(submission, ids[-1:])
            replaced = self._spool.add(entries)
        except BaseException:
            self._remove_copies(entries)
            self._withdraw(ids)
            raise
        self._withdraw(map(UUID, replaced), replaced=True)
        self._sender.wake()
        return ids

    def _expect(self, submission: Submission, ids: Sequence[UUID] = ()) -> None:
        """A deadline runs from here on: before the spool, which may make its callers wait."""
        if self._deadlines:
            self._deadlines.expect(submission, self.station.camera, ids)

    def _withdraw(self, ids: Iterable[UUID], *, replaced: bool = False) -> None:
        if self._deadlines:
            self._deadlines.withdraw(ids, replaced=replaced)

    def _entry(self, submission: Submission, burst: str | None) -> Entry:
        folder = self._spool.pictures_folder if self._settings.spool_copy else None
        return to_entry(submission, self.station, burst, folder, self._settings.seen_max_bytes)

    def _remove_copies(self, entries: list[Entry]) -> None:
        for entry in entries:
            if entry.copy:
                (self._spool.pictures_folder / entry.copy).unlink(missing_ok=True)

    def _hand_over(self, timeout: float) -> None:
        """Wait until everything is sent, unless the broker is known to take nothing."""
        state = self._sender.state
        if state.trouble is None and not state.queue_full:
            self.wait_sent(timeout)

    def _wait_for(self, condition: Callable[[], bool], timeout: float | None) -> bool:
        deadline = None if timeout is None else time.monotonic() + timeout
        while not condition():
            self.check()
            if deadline is not None and time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_S)
        return True


def _deadlines(
    deadline_s: float | None, on_deadline: Callable[[MissedDeadline], object] | None
) -> Deadlines | None:
    if (deadline_s is None) != (on_deadline is None):
        raise ConfigurationError("deadline_s and on_deadline need each other")
    if deadline_s is None or on_deadline is None:
        return None
    return Deadlines(deadline_s, on_deadline)


def _listeners(
    spool: Spool, on_receipt: Callable[[KeptReceipt], object] | None, deadlines: Deadlines | None
) -> list[Listener]:
    """Those that read the receipts. Deadlines have one of their own: `on_receipt` may be slow."""
    listeners = []
    if deadlines:
        listeners.append(Listener(Inbox(spool), deadlines.answered, _DEADLINE_POLL_S))
    if on_receipt and deadlines:
        # Asked once more: which of the two listeners comes first, nobody knows.
        answered, told = deadlines.answered, on_receipt
        listeners.append(Listener(Inbox(spool), lambda receipt: told(answered(receipt))))
    elif on_receipt:
        listeners.append(Listener(Inbox(spool), on_receipt))
    return listeners
