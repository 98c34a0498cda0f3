"""Hands over every picture that appears in a folder, once, and none that is still being written."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from re import Pattern

from linewatch.errors import SpoolError, SubmissionError
from producer import ledger
from producer.camera import Camera
from producer.ledger import SeenFile
from producer.names import PictureNames
from producer.settling import Settling
from producer.submission import Submission

log = logging.getLogger(__name__)

_STEP_MS = 50  # the longest that a change waits to be looked at
_DEBOUNCE_MS = 200
_RESCAN_S = 60.0  # a lost change (a full inotify queue, a network folder) is found by then


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """How a folder is watched.

    Args:
        names: which names are pictures.
        recursive: sub-folders too.
        settle_s: a file whose size and modification time stay the same so long is complete.
        polling: look again and again instead of asking the kernel; for network folders.
        part_pattern: searched in the file's name; its groups `part` and `lot` are taken.
    """

    names: PictureNames = field(default_factory=PictureNames)
    recursive: bool = False
    settle_s: float = 0.5
    polling: bool | None = None
    part_pattern: Pattern[str] | None = None


class FolderWatch:
    """Watches one folder for one camera.

    What was handed over is noted in the camera's spool, in the transaction that accepts the
    picture: after a restart nothing is missed and nothing comes twice. A file that changes
    after it was handed over is a new picture.

    Args:
        folder: must exist.
        camera: takes the pictures; their time of capture is the file's modification time.
        on_accepted: called with each file handed over.
    """

    def __init__(
        self,
        folder: Path,
        camera: Camera,
        options: WatchOptions | None = None,
        on_accepted: Callable[[Path], object] | None = None,
    ) -> None:
        self._folder = folder.absolute()
        self._camera = camera
        self._options = options or WatchOptions()
        self._on_accepted = on_accepted
        self._settling = Settling(self._options.settle_s)

    def run(self, stop: threading.Event) -> None:
        """Watch until `stop` is set."""
        ledger.forget_missing(self._camera.spool, self._folder)
        next_scan = 0.0
        for changes in self._changes(stop):
            self._take(changes)
            if time.monotonic() >= next_scan:  # the first time: what came while nobody watched
                self._scan()
                next_scan = time.monotonic() + _RESCAN_S
            self._hand_over()

    def _changes(self, stop: threading.Event) -> Iterator[Iterable[tuple[bool, Path]]]:
        """Batches of (is gone, path); an empty one at least every `settle_s` / 2."""
        from watchfiles import Change, watch

        yield ()
        for batch in watch(
            self._folder,
            watch_filter=None,
            debounce=_DEBOUNCE_MS,
            step=_STEP_MS,
            rust_timeout=max(_STEP_MS, int(self._options.settle_s * 500)),
            yield_on_timeout=True,
            stop_event=stop,
            recursive=self._options.recursive,
            force_polling=self._options.polling,
            raise_interrupt=False,
        ):
            yield [(change is Change.deleted, Path(path)) for change, path in batch]

    def _take(self, changes: Iterable[tuple[bool, Path]]) -> None:
        changes = list(changes)
        gone = [path for is_gone, path in changes if is_gone and self._options.names.in_work(path)]
        for is_gone, path in changes:
            if is_gone or not self._wanted(path):
                continue
            renamed = any(self._options.names.renamed(old, path) for old in gone)
            self._settling.look(path, complete=renamed)

    def _scan(self) -> None:
        pattern = "**/*" if self._options.recursive else "*"
        for path in self._folder.glob(pattern):
            if self._wanted(path):
                self._settling.look(path)

    def _wanted(self, path: Path) -> bool:
        return self._options.names.wanted(path.relative_to(self._folder)) and path.is_file()

    def _hand_over(self) -> None:
        for file in self._settling.complete():
            if ledger.is_known(self._camera.spool, file):
                self._settling.done(file)
                continue
            try:
                self._camera.accept(self._describe(file))
            except SubmissionError as error:
                log.error("not handed over: %s", error)
            except SpoolError as error:
                log.error("tried again later: %s", error)
                return
            else:
                if self._on_accepted:
                    self._on_accepted(file.path)
            self._settling.done(file)

    def _describe(self, file: SeenFile) -> Submission:
        pattern = self._options.part_pattern
        match = pattern.search(file.path.name) if pattern else None
        groups = match.groupdict() if match else {}
        return Submission(
            path=file.path,
            part=groups.get("part"),
            lot=groups.get("lot"),
            captured_at=datetime.fromtimestamp(file.mtime_ns / 1e9, UTC),
            seen=file,
        )
