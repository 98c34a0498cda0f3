"""Hears when something was written to the outbox, so that a gate waits for milliseconds.

PostgreSQL says so itself, when the transaction has committed. Behind a pooler, which lends a
session for a transaction only, and on SQLite, the database is asked again and again. Whoever waits
looks for himself after a while: what is not heard comes late and is not lost.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Condition, Event, Thread
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError

from db.base import table_of
from db.session import pooled, reading
from db.tables import OutboxLine

log = logging.getLogger(__name__)

_LINES = table_of(OutboxLine).c
SQLITE_POLL_S = 0.004  # a look at the file's change counter takes microseconds
POOLED_POLL_S = 0.02
_AGAIN_S = 1.0  # after an error


class Bell:
    """One thread that hears; many that wait."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._rung = Condition()
        self._count = 0
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="bell", daemon=True)

    def start(self) -> None:
        """Begin to hear."""
        self._thread.start()

    def stop(self) -> None:
        """Wake everybody, and hear no more."""
        self._stopping.set()
        self.ring()

    @property
    def count(self) -> int:
        """How often it has rung: read it before looking into the outbox."""
        return self._count

    def wait(self, count: int, timeout_s: float) -> None:
        """Wait until it has rung more often than `count`."""
        with self._rung:
            self._rung.wait_for(lambda: self._count > count, timeout_s)

    def ring(self) -> None:
        """Wake all who wait."""
        with self._rung:
            self._count += 1
            self._rung.notify_all()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._way()()
            except DBAPIError as error:
                log.warning("the database does not say what is new: %s", error.orig)
            except Exception:  # of the driver itself, while it listens
                log.warning("the database does not say what is new", exc_info=True)
            self._stopping.wait(_AGAIN_S)

    def _way(self) -> Callable[[], None]:
        if self._engine.dialect.name == "sqlite":
            return self._watch_file
        return self._poll if pooled(self._engine) else self._listen

    def _listen(self) -> None:
        with self._engine.connect() as connection:
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.exec_driver_sql("LISTEN linewatch_outbox")
            self.ring()  # for what was written before
            driver: Any = connection.connection.driver_connection
            try:
                while not self._stopping.is_set():
                    for _ in driver.notifies(timeout=1.0, stop_after=1):
                        self.ring()
            finally:
                with suppress(Exception):  # a session that goes back to the pool listens no more
                    connection.exec_driver_sql("UNLISTEN *")

    def _poll(self) -> None:
        query, before = select(_LINES.line, _LINES.last).order_by(_LINES.line), None
        while not self._stopping.wait(POOLED_POLL_S):
            with reading(self._engine) as connection:
                found = connection.execute(query).all()
            if found != before:
                self.ring()
            before = found

    def _watch_file(self) -> None:
        with self._engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            before = None
            while not self._stopping.is_set():
                found = driver.execute("PRAGMA data_version").fetchone()[0]
                if found != before:
                    self.ring()
                before = found
                time.sleep(SQLITE_POLL_S)
