"""Turning a SQLite file's write-ahead log on, when others open the same new file at that moment."""

from __future__ import annotations

import random
import sqlite3
import time

_PAUSE_S = 0.01


def use_wal(connection: sqlite3.Connection, timeout_s: float) -> None:
    """Switch the file to WAL; nothing happens where it is on.

    The switch needs the file for itself for an instant. Two that want it at once would wait for
    each other, so SQLite answers "locked" without waiting, whatever `busy_timeout` says.

    Args:
        connection: outside a transaction.
        timeout_s: how long to keep trying.

    Raises:
        sqlite3.OperationalError: the file was still locked then, or cannot be written.
    """
    give_up = time.monotonic() + timeout_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
        time.sleep(_PAUSE_S * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
