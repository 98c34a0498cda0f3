"""Room kept back beside a spool, so that a full disk does not keep receipts from clearing it.

Forgetting a picture needs room too: SQLite first writes to its log. Without a reserve a spool that
filled its disk would stay full for ever, and send the same pictures again and again.
"""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

log = logging.getLogger(__name__)

RESERVE_BYTES = 1024 * 1024


def is_disk_full(error: Exception) -> bool:
    """Whether SQLite found no room on the disk."""
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(error, sqlite3.Error) and code == sqlite3.SQLITE_FULL


class Reserve:
    """A file of zeros beside the spool that can be let go."""

    def __init__(self, spool: Path) -> None:
        self._path = spool.with_suffix(".reserve")

    def keep(self) -> None:
        """Take the room if it is not taken yet; without room, try again another time."""
        try:
            if self._path.exists() and self._path.stat().st_size == RESERVE_BYTES:
                return
            self._path.write_bytes(bytes(RESERVE_BYTES))
        except OSError as error:
            log.debug("no room for a reserve: %s", error)
            self.let_go()

    def let_go(self) -> None:
        """Give the room back."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("the reserve %s cannot be removed: %s", self._path, error)
