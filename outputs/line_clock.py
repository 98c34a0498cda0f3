"""Calls parts overdue whose views do not come, so that no gate waits for them.

It follows its line's outbox as a receiver does, and remembers which parts are incomplete until
when. It says so in the outbox itself: so `no_verdict` has a number of its own in the line's order,
and every receiver is told it once.
"""

from __future__ import annotations

import heapq
import logging
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from db.clock import database_now
from db.outbox import cursors, entries, facts, told
from db.outbox.append import append
from db.outbox.bell import Bell
from db.outbox.cursors import CLOCK, Cursor
from db.outbox.entries import PartKey
from db.outbox.facts import PartFact
from db.parts.facts import options_of
from db.session import reading, transaction
from outputs.owner import Owner
from outputs.stoppable_thread import StoppableThread
from quality.parts.disposition import Why

log = logging.getLogger(__name__)

WAIT_S = 300.0  # for a part's views, where neither line nor product says how long
LOOK_S = 0.05  # so much later than its deadline a part is called overdue at most
BEHIND = timedelta(days=1)  # older parts were called overdue long ago
MOST = 500
_AGAIN_S = 1.0


class LineClock(StoppableThread):
    """The clock of one line."""

    def __init__(
        self, engine: Engine, bell: Bell, owner: Owner, line: str, deadline_s: float | None
    ) -> None:
        self._engine, self._bell, self._owner = engine, bell, owner
        self._line, self._deadline_s = line, deadline_s
        self._due: list[tuple[datetime, PartKey]] = []
        self._waiting: set[PartKey] = set()
        self._cursor: Cursor | None = None
        self._looked_at = 0.0
        super().__init__(f"clock-{line}")

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._turn()
            except SQLAlchemyError as error:
                self._cursor = None
                log.warning("clock of %s: the database does not answer: %s", self._line, error)
                self._stopping.wait(_AGAIN_S)

    def _turn(self) -> None:
        count = self._bell.count
        cursor = self._mine()
        if cursor is None:
            self._stopping.wait(_AGAIN_S)
            return
        more = self._follow(cursor)
        self._call()
        if not more:
            self._bell.wait(count, LOOK_S if self._due else _AGAIN_S)

    def _mine(self) -> Cursor | None:
        now = time.monotonic()
        if self._cursor is not None and now - self._looked_at < _AGAIN_S:
            return self._cursor
        fresh = self._cursor is None
        with transaction(self._engine) as connection:
            gone = self._owner.gone(connection)
            self._cursor = cursors.take(connection, self._line, CLOCK, self._owner.name, gone)
        self._looked_at = now
        if fresh and self._cursor is not None:
            self._begin()
        return self._cursor

    def _begin(self) -> None:
        """Find the parts that are incomplete already: whoever had the lease may have died."""
        self._due, self._waiting = [], set()
        with reading(self._engine) as connection:
            now, begun = database_now(connection), entries.begun(connection, self._line)
            since = max(now - BEHIND, begun or now)
            self._await(connection, facts.overdue_candidates(connection, self._line, since))

    def _follow(self, cursor: Cursor) -> bool:
        """Look at the parts of the next entries; whether there may be more."""
        with reading(self._engine) as connection:
            found = entries.entries_after(connection, self._line, cursor.told, MOST)
            ids = {entry.picture for entry in found if entry.picture is not None}
            serials = self._serials(connection, ids)
            parts = facts.parts(connection, serials)
            self._await(connection, (part for passes in parts.values() for part in passes))
        if not found:
            return False
        reached = found[-1].sequence
        with transaction(self._engine) as connection:
            moved = cursors.move(connection, cursor, reached, self._owner.name)
        self._cursor = cursors.moved_to(cursor, reached) if moved else None
        return len(found) == MOST

    def _serials(self, connection: Connection, ids: set[UUID]) -> set[tuple[str, str]]:
        found = facts.pictures(connection, ids).values()
        return {(one.product, one.serial) for one in found if one.serial}

    def _await(self, connection: Connection, parts: Iterable[PartFact]) -> None:
        new = [p for p in parts if p.why == Why.INCOMPLETE and p.key not in self._waiting]
        options = options_of(connection, {part.key.product for part in new}) if new else {}
        for part in new:
            if part.made_at is None:
                continue
            own_s = options.get(part.key.product, {}).get("views_timeout_s")
            limits = [float(one) for one in (self._deadline_s, own_s) if one is not None]
            due = part.made_at + timedelta(seconds=min(limits, default=WAIT_S))
            heapq.heappush(self._due, (due, part.key))
            self._waiting.add(part.key)

    def _call(self) -> None:
        """Write those into the outbox whose time is over and that are incomplete still."""
        if not self._due:
            return
        with reading(self._engine) as connection:
            now = database_now(connection)
        keys: list[PartKey] = []
        while self._due and self._due[0][0] <= now and len(keys) < MOST:
            keys.append(heapq.heappop(self._due)[1])
        if not keys:
            return
        try:
            self._write(keys)
        except SQLAlchemyError:
            for key in keys:
                heapq.heappush(self._due, (now, key))
            raise
        self._waiting.difference_update(keys)

    def _write(self, keys: list[PartKey]) -> None:
        with transaction(self._engine) as connection:
            serials = {(key.product, key.serial) for key in keys}
            passes = facts.parts(connection, serials).values()
            open_ = {p.key for some in passes for p in some if p.why == Why.INCOMPLETE}
            still = sorted(key for key in keys if key in open_)
            new = told.announce(connection, self._line, still)
            append(connection, self._line, "overdue", [list(key) for key in new])
