"""From an uploaded picture to the queue: a store, a spool and a sender, as on a camera's PC."""

from __future__ import annotations

import threading
from pathlib import Path
from uuid import UUID

from linewatch.settings import Settings
from producer.limits import Limits
from producer.sender import Sender
from producer.spool import Spool
from producer.submission import Station, Submission, to_entry
from vision.source import local_path
from vision.uploads import UploadStore

_SPOOL = "console-api.db"


class Intake:
    """Accepts pictures for any line, opened when the first one comes.

    What is accepted lies in the store and in the spool, on disk, and is sent again until its
    receipt is there; a restart goes on with it, see `resume`. Safe to share between threads.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._opened: tuple[UploadStore, Spool, Sender] | None = None

    @property
    def spool_path(self) -> Path:
        """The spool of everything that comes by the API."""
        return self._settings.spool_folder / _SPOOL

    def resume(self) -> None:
        """Go on with what an earlier process accepted, if there is any."""
        if self.spool_path.exists() and self._settings.upload_dir is not None:
            self._parts()

    def accept(
        self, data: bytes, station: Station, submission: Submission, sha256: str | None = None
    ) -> UUID:
        """Accept one picture; when it returns, the picture is on disk and in the spool.

        Args:
            data: the picture's file.
            station: line, camera and product.
            submission: what else is said of it; its path is not looked at.
            sha256: of the file, if the sender says it.

        Raises:
            ConfigurationError: no folder for uploads is set.
            Unjudgeable: it is no picture, too large, or not what `sha256` says.
            SubmissionError: a field cannot be used.
            SpoolFullError, SpoolError: there is no room, or the spool cannot be written.
            OSError: the store cannot be written.
        """
        store, spool, sender = self._parts()
        kept = store.put(data, sha256=sha256)
        named = Submission(
            local_path(kept.uri),
            part=submission.part,
            lot=submission.lot,
            captured_at=submission.captured_at,
            pass_number=submission.pass_number,
            views=submission.views,
            work_order=submission.work_order,
            purpose=submission.purpose,
            trace_id=submission.trace_id,
        )
        entry = to_entry(named, station, None, None, self._settings.seen_max_bytes)
        spool.add([entry])
        sender.wake()
        return UUID(entry.id)

    def waits(self, id_: UUID) -> bool:
        """Whether this picture was accepted here and has no receipt yet."""
        if self._settings.upload_dir is None or not self.spool_path.exists():
            return False
        return not self._parts()[1].holds_none([id_])

    def waiting(self, line: str, product: str) -> list[str]:
        """SHA-256 of each picture of a line and product that was accepted and has no receipt."""
        if self._settings.upload_dir is None or not self.spool_path.exists():
            return []
        spool = self._parts()[1]
        held = spool.export() if spool.count() else ()
        return [
            Path(row["uri"]).stem  # the store calls a file by its hash
            for row in held
            if (row["line"], row["product"]) == (line, product) and row["state"] != "dropped"
        ]

    def close(self) -> None:
        """Stop sending; the rest stays in the spool."""
        with self._lock:
            if self._opened is not None:
                _, spool, sender = self._opened
                sender.stop()
                spool.close()
                self._opened = None

    def _parts(self) -> tuple[UploadStore, Spool, Sender]:
        with self._lock:
            if self._opened is None:
                settings = self._settings
                store = UploadStore.from_settings(settings)
                spool = Spool(self.spool_path, Limits.from_settings(settings), settings.spool_sync)
                sender = Sender(spool.path, settings)
                sender.start()
                self._opened = store, spool, sender
            return self._opened
