"""Listens for changes in a folder, in threads of its own, so that none waits for a scan."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from linewatch.errors import SubmissionError

log = logging.getLogger(__name__)

_STEP_MS = 50  # the longest that a change waits to be looked at
_DEBOUNCE_MS = 200
_LISTEN_AGAIN_S = 1.0
_READY_MS = 100  # without changes, so soon is it known that the kernel reports them


class Change(NamedTuple):
    """A path that came or changed, or is gone."""

    path: Path
    gone: bool = False


class _AnyOf:
    """Set when one of these events is."""

    def __init__(self, *events: threading.Event) -> None:
        self._events = events

    def is_set(self) -> bool:
        return any(event.is_set() for event in self._events)


class FolderListener:
    """The changes in a folder while this object is entered, in batches that came together.

    Args:
        folder: must exist.
        recursive: sub-folders too, those that come later and links to folders among them.
        polling: look again and again instead of asking the kernel.
        stop: ends the threads.
        on_lost: called when changes were lost and it listens again.
    """

    def __init__(
        self,
        folder: Path,
        *,
        recursive: bool,
        polling: bool | None,
        stop: threading.Event,
        on_lost: Callable[[], object] = lambda: None,
    ) -> None:
        self._folder = folder
        self._recursive = recursive
        self._polling = polling
        self._stop = stop
        self._on_lost = on_lost
        self._lost = False
        self._batches: queue.SimpleQueue[list[Change]] = queue.SimpleQueue()
        self._threads: dict[Path, tuple[threading.Thread, threading.Event]] = {}
        self._failure: Exception | None = None

    def listen(self, folder: Path) -> None:
        """Begin to listen to a folder, anew if it was; when it returns, no change is missed."""
        if folder in self._threads:  # a link that leads elsewhere now
            self._threads[folder][1].set()
        ready, enough = threading.Event(), threading.Event()
        thread = threading.Thread(
            target=self._run, args=(folder, ready, enough), name=f"watch {folder}", daemon=True
        )
        self._threads[folder] = thread, enough
        thread.start()
        while not ready.wait(0.1) and thread.is_alive():
            pass

    def put(self, changes: list[Change]) -> None:
        """Pass on what was found in another way."""
        self._batches.put(changes)

    def take(self, timeout_s: float) -> list[list[Change]]:
        """All batches that are there, after waiting for the first.

        Raises:
            SubmissionError: the folder cannot be listened to; the message says what to do.
        """
        if self._failure:
            raise SubmissionError(
                f"{self._folder} cannot be watched: {self._failure}; see that the folder is there. "
                "Too many folders for the kernel (sysctl fs.inotify.max_user_watches): raise that, "
                "or use --polling"
            ) from self._failure
        batches = []
        try:
            batches.append(self._batches.get(timeout=timeout_s))
            while True:
                batches.append(self._batches.get_nowait())
        except queue.Empty:
            return batches

    def __enter__(self) -> FolderListener:
        self.listen(self._folder)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        for thread, _ in self._threads.values():
            thread.join(10)

    def _run(self, folder: Path, ready: threading.Event, enough: threading.Event) -> None:
        done = _AnyOf(self._stop, enough)
        while not done.is_set():
            try:
                self._pass_on(folder, ready, done)
            except RuntimeError as error:  # watchfiles' WatchfilesRustInternalError
                if not ready.is_set():
                    self._fail(folder, error)
                    return
                # A name that is not UTF-8, above all: the changes that came with it are lost.
                log.warning("%s: some changes are unknown, all is scanned: %s", folder, error)
                self._stop.wait(_LISTEN_AGAIN_S)
                self._lost = True
            except Exception as error:
                self._fail(folder, error)
                return

    def _pass_on(self, folder: Path, ready: threading.Event, done: _AnyOf) -> None:
        from watchfiles import Change as Kind
        from watchfiles import watch

        for batch in watch(
            folder,
            watch_filter=None,
            debounce=_DEBOUNCE_MS,
            step=_STEP_MS,
            rust_timeout=_READY_MS,
            yield_on_timeout=True,
            stop_event=done,
            recursive=self._recursive,
            force_polling=self._polling,
            raise_interrupt=False,
        ):
            ready.set()
            if self._lost:
                self._lost = False
                self._on_lost()
            if batch:
                self.put([Change(Path(path), kind is Kind.deleted) for kind, path in batch])

    def _fail(self, folder: Path, error: Exception) -> None:
        if folder == self._folder:
            self._failure = error
        else:
            log.warning("%s is only looked into once a minute: %s", folder, error)
