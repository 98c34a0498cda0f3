"""Where a receiver is in its line's outbox, and what comes next; this dispatcher's alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from db.outbox import cursors, told
from db.outbox.cursors import Cursor
from db.session import transaction
from outputs.camera_time import CameraTime
from outputs.database_time import DatabaseTime
from outputs.gate_latency import GateLatency
from outputs.lease import Lease
from outputs.options import ReceiverOptions
from outputs.owner import Owner
from outputs.reading import Batch, next_batch
from outputs.telling import Line, Telling

MOST = 500  # entries read at once
FIGURES_S = 2.0


class Position:
    """The cursor of one receiver, moved while this dispatcher has the lease."""

    def __init__(
        self,
        engine: Engine,
        owner: Owner,
        clock: DatabaseTime,
        line: Line,
        options: ReceiverOptions,
        cameras: Callable[[], CameraTime],
    ) -> None:
        self._engine, self._time, self._cameras = engine, clock, cameras
        self._line, self._options = line, options
        self._lease = Lease(engine, owner, line.name, options.name, self._reading)
        self._connection: Connection | None = None
        self._latency = GateLatency()
        self._noted: Mapping[str, Any] = {}
        self._figures_at = 0.0

    def mine(self) -> Cursor | None:
        """The cursor, if this dispatcher has the lease and nobody paused the receiver."""
        cursor = self._lease.cursor()
        return None if cursor is None or cursor.paused_at is not None else cursor

    def next_batch(self, cursor: Cursor, limit: int) -> Batch:
        """What follows."""
        name, level = self._options.name, self._options.level
        most, line = min(limit, MOST), replace(self._line, cameras=self._cameras())
        now = self._time.now()
        with self._reading() as connection:
            return next_batch(connection, line, name, level, cursor.told, most, now)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """A connection that is kept, on which statements stand alone.

        A gate waits for it: to borrow one, and to begin and end a transaction, are three round
        trips more than what is read.
        """
        if self._connection is None:
            connection = self._engine.connect()
            self._connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        yield self._connection
        self._connection.rollback()  # SQLite has begun all the same

    def confirm(self, cursor: Cursor, tellings: Sequence[Telling], reached: int) -> None:
        """The receiver has these for good, and with them all up to the entry `reached`."""
        kept = {one.key: one.told for one in tellings if one.key is not None and one.told}
        now = self._time.now()
        with transaction(self._engine) as connection:
            moved = self._lease.move(connection, cursor, reached, now)
            if moved:
                told.keep(connection, cursor.line, cursor.receiver, kept, now)
        self._latency.told([one.result for one in tellings], now)
        if moved:
            self._lease.moved(reached)
        else:  # somebody replays it, or another dispatcher has the lease
            self._lease.forget()

    def note_figures(self, own: Mapping[str, int]) -> None:
        """Store how long the line waits, and what its driver counts, every few seconds."""
        now = time.monotonic()
        if now - self._figures_at < FIGURES_S:
            return
        self._figures_at = now
        figures = {**(self._latency.figures() or {}), **own}
        if figures and figures != self._noted:
            with transaction(self._engine) as connection:
                cursors.describe(connection, self._line.name, self._options.name, figures=figures)
            self._noted = figures

    def forget(self) -> None:
        """Begin anew with what the database says: it was away, or this is the end."""
        self._lease.forget()
        self._noted = {}
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError):
                connection.close()
