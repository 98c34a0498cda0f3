"""Where a receiver is in its line's outbox, and what comes next; this dispatcher's alone."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from db.clock import database_now
from db.outbox import cursors, told
from db.outbox.cursors import Cursor
from db.session import transaction
from outputs.gate_latency import GateLatency
from outputs.options import ReceiverOptions
from outputs.owner import Owner
from outputs.reading import Batch, next_batch
from outputs.telling import Line, Telling

MOST = 500  # entries read at once
LOOK_S = 1.0  # how often the row is looked at: somebody may pause or replay the receiver
FIGURES_S = 2.0


class Position:
    """The cursor of one receiver, moved while this dispatcher has the lease."""

    def __init__(self, engine: Engine, owner: Owner, line: Line, options: ReceiverOptions) -> None:
        self._engine, self._owner = engine, owner
        self._line, self._options = line, options
        self._cursor: Cursor | None = None
        self._connection: Connection | None = None
        self._latency = GateLatency()
        self._looked_at = self._figures_at = 0.0

    def mine(self) -> Cursor | None:
        """The cursor, if this dispatcher has the lease and nobody paused the receiver."""
        now = time.monotonic()
        if self._cursor is None or now - self._looked_at >= LOOK_S:
            name, mine = self._options.name, self._owner.name
            with transaction(self._engine) as connection:
                gone = self._owner.gone(connection)
                self._cursor = cursors.take(connection, self._line.name, name, mine, gone)
            self._looked_at = now
        paused = self._cursor is not None and self._cursor.paused_at is not None
        return None if paused else self._cursor

    def next_batch(self, cursor: Cursor, limit: int) -> Batch:
        """What follows, by a connection that is kept and on which statements stand alone.

        A gate waits for it: to borrow one, and to begin and end a transaction, are three round
        trips more than what is read.
        """
        if self._connection is None:
            connection = self._engine.connect()
            self._connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        name, level = self._options.name, self._options.level
        most = min(limit, MOST)
        batch = next_batch(self._connection, self._line, name, level, cursor.told, most)
        self._connection.rollback()  # SQLite has begun all the same
        return batch

    def confirm(self, cursor: Cursor, tellings: Sequence[Telling], reached: int) -> None:
        """The receiver has these for good, and with them all up to the entry `reached`."""
        kept = {one.key: one.told for one in tellings if one.key is not None and one.told}
        with transaction(self._engine) as connection:
            moved = cursors.move(connection, cursor, reached, self._owner.name)
            if moved:
                told.keep(connection, cursor.line, cursor.receiver, kept)
            now = database_now(connection)
        self._latency.told([one.result for one in tellings], now)
        # Somebody replays it, or another dispatcher has the lease: begin at what the row says.
        self._cursor = cursors.moved_to(cursor, reached) if moved else None

    def note_figures(self, own: Mapping[str, int]) -> None:
        """Store how long the line waits, and what its driver counts, every few seconds."""
        now = time.monotonic()
        if now - self._figures_at < FIGURES_S or self._cursor is None:
            return
        self._figures_at = now
        figures = {**(self._latency.figures() or {}), **own}
        if figures and figures != self._cursor.figures:
            with transaction(self._engine) as connection:
                cursors.describe(connection, self._line.name, self._options.name, figures=figures)

    def forget(self) -> None:
        """Begin anew with what the database says: it was away, or this is the end."""
        self._cursor = None
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError):
                connection.close()
