"""Finds the pictures that lie in a folder, in threads of its own, so that a scan holds up none."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path, PurePath

from producer import ledger
from producer.ledger import SeenFile
from producer.names import PictureNames
from producer.spool_file import SpoolFile

log = logging.getLogger(__name__)

RESCAN_S = 60.0  # a lost change (a full inotify queue, a network folder) is found by then
_SLICE = 500
_WAITING = 1000  # found files that nobody has taken yet; more than these wait on the disk
_POLL_S = 0.1


def scan(folder: Path, names: PictureNames, *, recursive: bool) -> Iterator[SeenFile]:
    """The pictures in a folder, and in those beneath it; links to folders are followed.

    A folder that can be reached in two ways is read once.
    """
    seen: set[tuple[int, int]] = set()
    folders = [folder]
    while folders:
        at = folders.pop()
        try:
            stat = at.stat()
            if (stat.st_dev, stat.st_ino) in seen:
                continue
            seen.add((stat.st_dev, stat.st_ino))
            with os.scandir(at) as entries:
                for entry in entries:
                    if entry.is_dir():
                        if recursive and names.entered(PurePath(entry.name)):
                            # Links last: what lies in the folder itself has that path.
                            folders.insert(
                                0 if entry.is_symlink() else len(folders), at / entry.name
                            )
                    elif names.wanted(PurePath(entry.name)) and entry.is_file():
                        yield SeenFile.of(at / entry.name, entry.stat())
        except OSError as error:
            log.warning("%s cannot be read and is left out until the next scan: %s", at, error)


class FolderScan:
    """Scans the watched folder now and then, and a folder that appears in it at once.

    Args:
        folder: the watched one.
        names: which names are pictures.
        recursive: sub-folders too.
        spool: its ledger knows what was handed over.
        stop: ends the threads.
    """

    def __init__(
        self,
        folder: Path,
        names: PictureNames,
        spool: SpoolFile,
        stop: threading.Event,
        *,
        recursive: bool,
    ) -> None:
        self._folder = folder
        self._names = names
        self._recursive = recursive
        self._spool = spool
        self._stop = stop
        self._again = threading.Event()
        self._backlog: queue.Queue[Path] = queue.Queue(_WAITING)
        self._appeared: queue.SimpleQueue[tuple[Path, Callable[[], object]]] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []

    def start(self, found: Callable[[list[Path]], object]) -> None:
        """Begin the first scan. `found` takes the pictures of folders that appear."""
        self._threads = [
            threading.Thread(target=self._every_minute, name="scan", daemon=True),
            threading.Thread(
                target=self._at_once, args=(found,), name="scan of new folders", daemon=True
            ),
        ]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait for the threads, after `stop` was set."""
        for thread in self._threads:
            thread.join(10)

    def take(self, most: int) -> list[Path]:
        """Pictures that were not handed over yet, at most so many; does not wait."""
        taken: list[Path] = []
        with contextlib.suppress(queue.Empty):
            while len(taken) < most:
                taken.append(self._backlog.get_nowait())
        return taken

    def look_into(self, folder: Path, before: Callable[[], object] = lambda: None) -> None:
        """Scan a folder that appeared, after calling `before`, in the thread for such."""
        self._appeared.put((folder, before))

    def again(self) -> None:
        """Scan everything now."""
        self._again.set()

    def _every_minute(self) -> None:
        self._guarded(self._scan)
        self._guarded(partial(ledger.forget_missing, self._spool, self._folder))
        last = time.monotonic()
        while not self._stop.wait(_POLL_S):
            if self._again.is_set() or time.monotonic() >= last + RESCAN_S:
                self._again.clear()
                self._guarded(self._scan)
                last = time.monotonic()

    def _scan(self) -> None:
        files = scan(self._folder, self._names, recursive=self._recursive)
        while not self._stop.is_set() and (some := list(islice(files, _SLICE))):
            self._guarded(partial(self._put_unknown, some))

    def _put_unknown(self, files: list[SeenFile]) -> None:
        for file in ledger.unknown(self._spool, files):
            while not self._stop.is_set():
                with contextlib.suppress(queue.Full):
                    self._backlog.put(file.path, timeout=_POLL_S)
                    break

    def _at_once(self, found: Callable[[list[Path]], object]) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(queue.Empty):
                folder, before = self._appeared.get(timeout=_POLL_S)
                self._guarded(partial(self._scan_new, folder, before, found))

    def _scan_new(
        self,
        folder: Path,
        before: Callable[[], object],
        found: Callable[[list[Path]], object],
    ) -> None:
        before()
        files = scan(folder, self._names, recursive=True)
        while some := list(islice(files, _SLICE)):
            found([file.path for file in some])

    @staticmethod
    def _guarded(work: Callable[[], object]) -> None:
        try:
            work()
        except sqlite3.Error as error:
            log.error("the spool's ledger cannot be read, tried again in a minute: %s", error)
        except Exception:  # or nothing would be found any more, and nobody told
            log.exception("a scan broke off; the next is in a minute")
