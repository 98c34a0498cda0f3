"""Hands over every picture that appears in a folder, once, and none that is still being written."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path, PurePath
from re import Pattern
from uuid import UUID

from linewatch.errors import SpoolError, SubmissionError
from producer import ledger, superseding
from producer.camera import Camera
from producer.folder.listener import Change, FolderListener
from producer.folder.scan import FolderScan
from producer.folder.settling import Settled, Settling
from producer.folder.wholeness import Patience
from producer.ledger import SeenFile
from producer.names import PictureNames
from producer.submission import Submission

log = logging.getLogger(__name__)

_LONGEST_TICK_S = 0.25
_BACKLOG = 1000  # files of a scan that are looked at together
_BACKLOG_S = 0.1  # after so long, what came meanwhile goes first


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A picture that was accepted.

    Args:
        id, path, part, lot: which picture.
        supersedes: the picture of an earlier state of the same file.
        unfinished: why the file does not look whole, if so.
    """

    id: UUID
    path: Path
    part: str | None = None
    lot: str | None = None
    supersedes: UUID | None = None
    unfinished: str = ""


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """How a folder is watched.

    Args:
        names: which names are pictures.
        recursive: sub-folders too.
        patience: how long a file must rest before it is handed over.
        polling: look again and again instead of asking the kernel; for network folders.
        part_pattern: searched in the file's name; its groups `part` and `lot` are taken.
    """

    names: PictureNames = field(default_factory=PictureNames)
    recursive: bool = False
    patience: Patience = field(default_factory=Patience)
    polling: bool | None = None
    part_pattern: Pattern[str] | None = None


class FolderWatch:
    """Watches one folder for one camera.

    What was handed over is noted in the camera's spool, in the transaction that accepts the
    picture: after a restart nothing is missed and nothing comes twice. A file that changes
    after it was handed over is a new picture, which supersedes the earlier one.

    Args:
        folder: must exist.
        camera: takes the pictures; their time of capture is the file's modification time.
        on_accepted: called with each picture handed over.
    """

    def __init__(
        self,
        folder: Path,
        camera: Camera,
        options: WatchOptions | None = None,
        on_accepted: Callable[[HandedOver], object] | None = None,
    ) -> None:
        self._folder = folder.absolute()
        self._real = Path(os.path.realpath(folder))
        self._camera = camera
        self._options = options or WatchOptions()
        self._on_accepted = on_accepted
        self._settling = Settling(self._options.patience)
        self._tick_s = min(_LONGEST_TICK_S, self._options.patience.settle_s / 2)

    def run(self, stop: threading.Event) -> None:
        """Watch until `stop` is set.

        It listens before it scans, or what comes in between would be found a minute later.
        """
        options, folder = self._options, self._folder
        scan = FolderScan(
            folder, options.names, self._camera.spool, stop, recursive=options.recursive
        )
        with FolderListener(
            folder,
            recursive=options.recursive,
            polling=options.polling,
            stop=stop,
            on_lost=scan.again,
        ) as listener:
            scan.start(lambda paths: listener.put([Change(path) for path in paths]))
            more = False
            while not stop.is_set():
                for changes in listener.take(0 if more else self._tick_s):
                    self._take(changes, listener, scan)
                for path in scan.take(_BACKLOG - self._settling.backlog()):
                    self._settling.look(path, live=False)
                more = self._hand_over()
        scan.join()

    def _take(self, changes: list[Change], listener: FolderListener, scan: FolderScan) -> None:
        names = self._options.names
        changes = [Change(self._own_path(path), is_gone) for path, is_gone in changes]
        gone = [change.path for change in changes if change.gone]
        for path, is_gone in changes:
            inside = path.relative_to(self._folder)
            if is_gone:
                continue
            if names.wanted(inside) and path.is_file():
                renamed = any(names.renamed(old, path) for old in gone if names.in_work(old))
                self._settling.look(path, renamed=renamed)
            elif self._options.recursive and names.entered(inside) and path.is_dir():
                # The kernel tells of the folder alone: not of what it brought along, and of
                # nothing that comes into it if it is a link.
                link = path.is_symlink()
                if link and self._inside(path) is not None:
                    continue
                scan.look_into(path, partial(listener.listen, path) if link else lambda: None)
        self._forget([path for path in gone if names.wanted(path.relative_to(self._folder))])

    def _own_path(self, path: Path) -> Path:
        """The path that a scan has for this one, which may lie behind a link within the folder."""
        inside = self._inside(path.parent)
        return path if inside is None else self._folder / inside / path.name

    def _inside(self, folder: Path) -> PurePath | None:
        """Where a folder really lies, if it is beneath the watched one and looked into there."""
        real = Path(os.path.realpath(folder))
        if not real.is_relative_to(self._real):
            return None
        inside = real.relative_to(self._real)
        return inside if self._options.names.entered(inside) else None

    def _forget(self, paths: list[Path]) -> None:
        try:
            if paths:
                superseding.forget(self._camera.spool, paths)
        except sqlite3.Error as error:
            log.warning("%d deleted files stay known: %s", len(paths), error)

    def _hand_over(self) -> bool:
        """Hand over what is complete; True if some of the backlog is left for the next time."""
        self._camera.check()
        enough = time.monotonic() + _BACKLOG_S
        for settled in self._settling.complete():
            if not settled.live and time.monotonic() > enough:
                return True
            try:
                self._hand_over_one(settled)
            except SubmissionError as error:
                log.error("not handed over: %s", error)
            except (SpoolError, sqlite3.Error) as error:
                log.error("tried again later: %s", error)
                return False
            self._settling.done(settled.file)
        return False

    def _hand_over_one(self, settled: Settled) -> None:
        file, unfinished = settled.file, settled.unfinished
        if not ledger.unknown(self._camera.spool, [file]) and not self._is_another(settled):
            return
        earlier = superseding.earlier(self._camera.spool, file.path)
        submission = self._describe(file, unfinished)
        picture_id = self._camera.accept(submission)
        if unfinished:
            log.warning("picture %s of %s may be unfinished: %s", picture_id, file.path, unfinished)
        if earlier:
            log.warning("picture %s of %s supersedes %s", picture_id, file.path, earlier)
        if self._on_accepted:
            self._on_accepted(
                HandedOver(
                    picture_id, file.path, submission.part, submission.lot, earlier, unfinished
                )
            )

    def _is_another(self, settled: Settled) -> bool:
        """Whether a file that was written to holds another picture, though size and time are kept.

        Only where the kernel tells of a write: nobody reads a whole folder for it.
        """
        if not settled.live:
            return False
        held = ledger.content(self._camera.spool, settled.file.path)
        found = self._camera.content(settled.file.path) if held else None
        return found is not None and found != held

    def _describe(self, file: SeenFile, unfinished: str) -> Submission:
        pattern = self._options.part_pattern
        match = pattern.search(file.path.name) if pattern else None
        groups = match.groupdict() if match else {}
        return Submission(
            path=file.path,
            part=groups.get("part"),
            lot=groups.get("lot"),
            captured_at=datetime.fromtimestamp(file.mtime_ns / 1e9, UTC),
            seen=replace(file, unfinished=bool(unfinished)),
        )
