"""A receiver's row while this dispatcher has its lease."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

from sqlalchemy import Connection, Engine

from db.outbox import cursors
from db.outbox.cursors import Cursor
from db.session import transaction
from outputs.owner import Owner

LOOK_S = 1.0  # how often the row is looked at: somebody may pause or replay the receiver


class Lease:
    """Taken once, in a transaction; then only looked at: `Dispatcher` renews all of its leases.

    Args:
        receiver: as in `db.outbox.cursors`.
        reading: lends a connection for the look.
    """

    def __init__(
        self,
        engine: Engine,
        owner: Owner,
        line: str,
        receiver: str,
        reading: Callable[[], AbstractContextManager[Connection]],
    ) -> None:
        self._engine, self._owner, self._reading = engine, owner, reading
        self._line, self._receiver = line, receiver
        self._cursor: Cursor | None = None
        self._looked_at = 0.0

    def cursor(self) -> Cursor | None:
        """The row, as it was at most a second ago; None: the lease is another's."""
        now = time.monotonic()
        if self._cursor is not None and now - self._looked_at < LOOK_S:
            return self._cursor
        self._cursor = self._taken() if self._cursor is None else self._seen()
        self._looked_at = now
        return self._cursor

    def move(self, connection: Connection, cursor: Cursor, told: int, now: datetime) -> bool:
        """Move the cursor in a transaction; False: somebody moved it, or another has the lease.

        After the commit say what came of it: `moved`, or `forget`.
        """
        return cursors.move(connection, cursor, told, self._owner.name, now)

    def moved(self, told: int) -> None:
        """The cursor is there now."""
        if self._cursor is not None:
            self._cursor = cursors.moved_to(self._cursor, told)

    def forget(self) -> None:
        """Begin anew with what the database says."""
        self._cursor = None

    def _taken(self) -> Cursor | None:
        mine = self._owner.name
        with transaction(self._engine) as connection:
            gone = self._owner.gone(connection)
            return cursors.take(connection, self._line, self._receiver, mine, gone)

    def _seen(self) -> Cursor | None:
        with self._reading() as connection:
            return cursors.held(connection, self._line, self._receiver, self._owner.name)
