"""Calls parts overdue whose views do not come, so that no gate waits for them.

It follows its line's outbox as a receiver does, and remembers which parts are incomplete until
when. It says so in the outbox itself: so `no_verdict` has a number of its own in the line's order,
and every receiver is told it once.
"""

from __future__ import annotations

import heapq
import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from db.outbox import entries, facts, told
from db.outbox.append import append
from db.outbox.bell import Bell
from db.outbox.cursors import CLOCK, Cursor
from db.outbox.entries import PartKey
from db.outbox.facts import PartFact
from db.parts.facts import options_of
from db.session import reading, transaction
from outputs.camera_time import CameraTime
from outputs.database_time import DatabaseTime
from outputs.lease import Lease
from outputs.owner import Owner
from outputs.stoppable_thread import StoppableThread

log = logging.getLogger(__name__)

WAIT_S = 300.0  # for a part's views, where neither line nor product says how long
LOOK_S = 0.05  # so much later than its deadline a part is called overdue at most
GATHER_S = 0.02  # what is committed in so long is followed at once, after the gates were told
BEHIND = timedelta(days=1)  # older parts were called overdue long ago
MOST = 500
_AGAIN_S = 1.0


class LineClock(StoppableThread):
    """The clock of one line."""

    def __init__(
        self,
        engine: Engine,
        bell: Bell,
        owner: Owner,
        clock: DatabaseTime,
        line: str,
        deadline_s: float | None,
        cameras: Callable[[], CameraTime] = CameraTime,
    ) -> None:
        self._engine, self._bell, self._time, self._cameras = engine, bell, clock, cameras
        self._line, self._deadline_s = line, deadline_s
        self._lease = Lease(engine, owner, line, CLOCK, partial(reading, engine))
        self._due: list[tuple[datetime, PartKey]] = []
        self._waiting: set[PartKey] = set()
        self._has_lease = False
        super().__init__(f"clock-{line}")

    def _run(self) -> None:
        self._forget()
        while not self._stopping.is_set():
            try:
                self._turn()
            except SQLAlchemyError as error:
                self._forget()
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
            self._bell.wait(count, LOOK_S - GATHER_S if self._due else _AGAIN_S)
            self._stopping.wait(GATHER_S)

    def _mine(self) -> Cursor | None:
        cursor = self._lease.cursor()
        had, self._has_lease = self._has_lease, cursor is not None
        if cursor is not None and not had:
            self._begin()
        return cursor

    def _forget(self) -> None:
        self._lease.forget()
        self._has_lease = False

    def _begin(self) -> None:
        """Find the parts that are incomplete already: whoever had the lease may have died."""
        self._due, self._waiting = [], set()
        with reading(self._engine) as connection:
            now, begun = self._time.now(), entries.begun(connection, self._line)
            since = max(now - BEHIND, begun or now)
            self._await(connection, facts.overdue_candidates(connection, self._line, since))

    def _follow(self, cursor: Cursor) -> bool:
        """Look at the parts of the next entries; whether there may be more."""
        with reading(self._engine) as connection:
            found = entries.entries_after(connection, self._line, cursor.told, MOST)
            ids = {entry.picture for entry in found if entry.picture is not None}
            self._await(connection, facts.incomplete(connection, facts.serials(connection, ids)))
        if not found:
            return False
        reached = found[-1].sequence
        with transaction(self._engine) as connection:
            moved = self._lease.move(connection, cursor, reached, self._time.now())
        if moved:
            self._lease.moved(reached)
        else:
            self._forget()
        return len(found) == MOST

    def _await(self, connection: Connection, parts: Iterable[PartFact]) -> None:
        new = [part for part in parts if part.key not in self._waiting]
        options = options_of(connection, {part.key.product for part in new}) if new else {}
        for part in new:
            if part.made_at is None:
                continue
            own_s = options.get(part.key.product, {}).get("views_timeout_s")
            limits = [float(one) for one in (self._deadline_s, own_s) if one is not None]
            ahead = timedelta() if part.by_receipt else self._cameras().ahead(self._line)
            due = part.made_at - ahead + timedelta(seconds=min(limits, default=WAIT_S))
            heapq.heappush(self._due, (due, part.key))
            self._waiting.add(part.key)

    def _call(self) -> None:
        """Write those into the outbox whose time is over and that are incomplete still."""
        if not self._due:
            return
        now = self._time.now()
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
            open_ = {part.key for part in facts.incomplete(connection, serials)}
            still = sorted(key for key in keys if key in open_)
            new = told.announce(connection, self._line, still)
            append(connection, self._line, "overdue", [list(key) for key in new])
