"""A new SQLite file that many open at the same moment."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from threading import Barrier, Thread

import pytest

from linewatch.sqlite_wal import use_wal

OPENERS = 6


def _open(path: Path, start: Barrier, failures: list[Exception]) -> None:
    connection = sqlite3.connect(path, timeout=10, isolation_level=None)
    start.wait()
    try:
        use_wal(connection, timeout_s=10)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TABLE IF NOT EXISTS opened (by INTEGER)")
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        failures.append(error)
    finally:
        connection.close()


def test_nobody_is_turned_away(tmp_path: Path) -> None:
    failures: list[Exception] = []
    for number in range(40):  # a plain PRAGMA fails in several of them
        start = Barrier(OPENERS)
        openers = [
            Thread(target=_open, args=(tmp_path / f"{number}.db", start, failures))
            for _ in range(OPENERS)
        ]
        for opener in openers:
            opener.start()
        for opener in openers:
            opener.join()
    assert failures == []


def test_a_lock_that_stays_is_an_error(tmp_path: Path) -> None:
    holder = sqlite3.connect(tmp_path / "held.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    other = sqlite3.connect(tmp_path / "held.db", timeout=0.01, isolation_level=None)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        use_wal(other, timeout_s=0.05)
    holder.close()
    other.close()
