"""The spool: what a camera handed over and no receipt has cleared yet. Bounded, never silently."""

from __future__ import annotations

import contextlib
import json
import logging
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from linewatch.errors import SpoolError, SpoolFullError
from producer.admission import Entry, admit, admit_one, held_twice, oldest_created_at
from producer.disk_reserve import is_disk_full
from producer.limits import Limits
from producer.spool_file import SpoolFile, Sync
from producer.superseding import supersede

log = logging.getLogger(__name__)

_ROOM_POLL_S = 0.02
_QUIET_S = 60.0  # between two warnings of a path
_MOST_PATHS = 10_000
_FILE_ADVICE = (
    "the earlier is rejected as `changed`: let the camera give each picture a name of its own, or "
    "set LINEWATCH_SPOOL_COPY=true"
)
_OBJECT_ADVICE = (
    "both are judged by that one: let the camera give each picture a name of its own, or submit "
    "each with its sha256"
)


@dataclass(frozen=True, slots=True)
class SpoolStatus:
    """What a spool holds at this moment."""

    path: Path
    producer: str
    queued: int
    sent: int
    bytes: int
    oldest_age_s: float | None
    dropped: int

    @property
    def pictures(self) -> int:
        """All that wait for a receipt, sent or not."""
        return self.queued + self.sent


class Spool(SpoolFile):
    """The spool as those who put pictures in see it; `Outbox` is the sender's view.

    Several processes may use one spool.

    Args:
        path: the SQLite file; made if missing.
        limits: how much it holds and what happens then.
        sync: `full` or `normal`; see `producer.spool_file`.
    """

    def __init__(self, path: Path, limits: Limits | None = None, sync: Sync = "full") -> None:
        super().__init__(path, sync)
        self.limits = limits or Limits()
        self._quiet_until: dict[str, float] = {}

    def add(self, entries: Sequence[Entry]) -> list[str]:
        """Keep all of these pictures, or none. When it returns, they are on disk.

        Returns:
            the ids of those that they replaced: earlier states of their files, not sent yet.

        Raises:
            SpoolFullError: there is no room and the policy is `reject`, or `block` and none came.
            SpoolError: the disk is full or failing.
        """
        deadline = time.monotonic() + self.limits.block_s
        while True:
            full, replaced = self._try_add(entries)
            if full is None:
                self._warn_of_repeats(entries)
                return replaced
            if self.limits.when_full != "block" or time.monotonic() >= deadline:
                raise SpoolFullError(full)
            time.sleep(_ROOM_POLL_S)

    def status(self) -> SpoolStatus:
        """Counts, age and losses. Cheap enough for every second, not for every picture."""
        with self.read() as db:
            pictures, size, dropped = db.execute(
                "SELECT pictures, bytes, dropped FROM totals"
            ).fetchone()
            oldest = oldest_created_at(db)
        queued = self.queued()
        age = None if oldest is None else max(0.0, time.time() - oldest)
        return SpoolStatus(
            self.path, self.producer_id, queued, max(0, pictures - queued), size, age, dropped
        )

    def count(self) -> int:
        """How many pictures wait for a receipt."""
        with self.read() as db:
            return int(db.execute("SELECT pictures FROM totals").fetchone()[0])

    def queued(self) -> int:
        """How many pictures are not in the queue yet."""
        with self.read() as db:
            query = "SELECT count(*) FROM pictures WHERE state = 'queued'"
            return int(db.execute(query).fetchone()[0])

    def holds_none(self, ids: Iterable[UUID]) -> bool:
        """Whether each of these pictures was cleared or dropped."""
        with self.read() as db:
            return not any(
                db.execute("SELECT 1 FROM pictures WHERE id = ?", (str(id_),)).fetchone()
                for id_ in ids
            )

    def export(self) -> Iterator[dict[str, Any]]:
        """Everything it holds and everything it still knows to have dropped, oldest first."""
        with self.read() as db:
            held = db.execute(
                "SELECT state, line, product, image, attempts, created_at"
                " FROM pictures ORDER BY seq"
            ).fetchall()
            dropped = db.execute(
                "SELECT 'dropped', line, product, image, 0, created_at FROM dropped ORDER BY seq"
            ).fetchall()
        for state, line, product, image, attempts, created_at in [*held, *dropped]:
            yield {
                "state": state,
                "line": line,
                "product": product,
                "attempts": attempts,
                "created_at": created_at,
                **json.loads(image),
            }

    def _warn_of_repeats(self, entries: Sequence[Entry]) -> None:
        """Say that a camera writes over pictures that are not judged yet, once a minute a path."""
        try:
            with self.read() as db:
                repeated = held_twice(db, entries)
        except sqlite3.Error as error:  # the pictures are in; this is advice
            log.warning("the spool %s cannot be searched: %s", self.path, error)
            return
        for uri in repeated:
            now = time.monotonic()
            if now >= self._quiet_until.get(uri, 0.0):
                if len(self._quiet_until) > _MOST_PATHS:
                    self._quiet_until.clear()
                self._quiet_until[uri] = now + _QUIET_S
                log.warning(
                    "%s was handed over again before its last picture was judged. If it holds "
                    "another one now, %s",
                    uri,
                    _OBJECT_ADVICE if uri.startswith("s3://") else _FILE_ADVICE,
                )

    def _try_add(self, entries: Sequence[Entry]) -> tuple[str | None, list[str]]:
        """Add them, or say why there is no room; and which pictures they replaced."""
        try:
            if len(entries) == 1 and entries[0].seen is None:
                with self.read() as db:
                    if admit_one(db, entries[0], self.limits):
                        return None, []
            with self.write() as db:
                admission = admit(db, entries, self.limits)
                replaced = [] if admission.full else supersede(db, entries)
        except sqlite3.Error as error:
            advice = "make room on its disk" if is_disk_full(error) else "see to its disk"
            raise SpoolError(
                f"the spool {self.path} cannot be written: {error}; {advice}, then submit again"
            ) from error
        for each in replaced:
            log.warning("picture %s of %s replaces %s, which was not sent yet", *each[:3])
        copies = [each.copy for each in replaced if each.copy]
        for name in [*admission.dropped_copies, *copies]:
            with contextlib.suppress(FileNotFoundError):
                (self.pictures_folder / name).unlink()
        full = f"the spool {self.path} has no room: {admission.full}" if admission.full else None
        return full, [each.picture for each in replaced]
