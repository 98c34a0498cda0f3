"""The one place that writes verdicts: a thread that commits rows, then sends receipts.

While the database is away it holds what it has and tries again, so the worker's messages stay
unacknowledged and the queue keeps the rest. Nothing is dropped, and nothing new is taken.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Condition, Event, Thread
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, exc
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from db.inspections import commit_inspections, outcomes
from db.records import InspectionRecord, Outcome
from producer.contract import Receipt
from workers.observe import Stage, observers
from workers.receipts import ReceiptWriter
from workers.reply import DrainingError, Reply

log = logging.getLogger(__name__)

MAX_ROWS = 512  # a transaction this long is still a few milliseconds
# A commit takes some milliseconds of the worker's time whether it has two rows or twenty. So after
# one, rows gather until commits take a fifth of the time, or for as long as a person would not
# notice. A row that comes after a pause is committed at once.
SHARE = 0.2
LONGEST_APART_S = 0.03
FIRST_WAIT_S, LONGEST_WAIT_S = 0.1, 5.0
_PASSING = (exc.OperationalError, exc.InterfaceError, exc.InternalError, exc.TimeoutError)


@dataclass(frozen=True, slots=True, eq=False)
class Pending:
    """A row that waits for its commit, and who waits for it."""

    record: InspectionRecord
    producer: str | None
    reply: Reply


class Committer:
    """Commits rows in the order they come, many to a transaction.

    While one transaction runs, the next gathers: what was judged meanwhile is committed together.

    Args:
        engine: the database.
        receipts: tells the producers.
        timezone: the plant's, for hourly roll-ups.
        depth: how many rows may wait before those who bring more are held up.
        on_commit: is given the rows that are new, after each commit; must not raise or block.
    """

    def __init__(
        self,
        engine: Engine,
        receipts: ReceiptWriter,
        *,
        timezone: ZoneInfo,
        depth: int,
        on_commit: Callable[[Sequence[InspectionRecord]], None] = lambda records: None,
    ) -> None:
        self._engine = engine
        self._receipts = receipts
        self._timezone = timezone
        self._on_commit = on_commit
        self._depth = depth
        self._waiting: list[Pending] = []
        self._changed = Condition()
        self._stopping = self._ended = False
        self._not_before = 0.0  # when the next commit may begin, unless it is full
        self._abandon = Event()
        self._thread = Thread(target=self._run, name="commit", daemon=True)
        self.holding = False
        self.on_busy: Callable[[bool], None] = lambda busy: None  # must not raise or block

    def start(self) -> None:
        """Begin to commit."""
        self._thread.start()

    def put(self, rows: Sequence[Pending]) -> None:
        """Let rows wait for their commit; blocks while too many do.

        Once the last commit is done, a row that comes late goes back to the queue.
        """
        with self._changed:
            while len(self._waiting) >= self._depth:
                self._changed.wait()
            if not self._ended:
                self._waiting += rows
                if len(self._waiting) == len(rows) or len(self._waiting) >= MAX_ROWS:
                    self._changed.notify_all()
                return
        for pending in rows:
            pending.reply.fail(pending.record.id, DrainingError())

    def stop(self, timeout_s: float) -> None:
        """Commit what waits, for at most `timeout_s`; what is left goes back to the queue."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join(timeout_s)
        self._abandon.set()
        self._thread.join(LONGEST_WAIT_S)

    def _run(self) -> None:
        while self._any():
            self.on_busy(True)
            batch = self._gather()
            began = time.monotonic()
            self._settle(batch)
            self._not_before = not_before(began, time.monotonic())
            self.on_busy(False)

    def _any(self) -> bool:
        """Wait for rows; False once it is stopping and all are committed."""
        with self._changed:
            while not self._waiting and not self._stopping:
                self._changed.wait()
            self._ended = not self._waiting
            return not self._ended

    def _gather(self) -> list[Pending]:
        """The rows to commit now: after a commit a moment ago, those of a while."""
        with self._changed:
            while len(self._waiting) < MAX_ROWS and not self._stopping:
                early_s = self._not_before - time.monotonic()
                if early_s <= 0:
                    break
                self._changed.wait(early_s)
            batch, self._waiting = self._waiting[:MAX_ROWS], self._waiting[MAX_ROWS:]
            self._changed.notify_all()  # there is room
            return batch

    def _settle(self, batch: list[Pending]) -> None:
        try:
            with observers.timed(Stage.COMMIT, len(batch)):
                committed = self._commit_or_hold([pending.record for pending in batch])
        except Exception as error:
            if len(batch) > 1 and not isinstance(error, DrainingError):
                for pending in batch:  # one row the database refuses must not hold its neighbours
                    self._settle([pending])
                return
            log.error("not committed: %s", error)
            for pending in batch:
                pending.reply.fail(pending.record.id, error)
            return
        with observers.timed(Stage.RECEIPT, len(batch)):
            self._receipts.send(
                (pending.producer, receipt_for(pending.record.id, committed[pending.record.id]))
                for pending in batch
                if pending.producer is not None
            )
        for pending in batch:
            pending.reply.settle(pending.record.id, committed[pending.record.id])

    def _commit_or_hold(self, records: list[InspectionRecord]) -> dict[UUID, Outcome]:
        wait_s = FIRST_WAIT_S
        while True:
            try:
                return self._commit(records)
            except SQLAlchemyError as error:
                if not _passing(error):
                    raise
                self.holding = True
                log.warning("database away, holding %d rows: %s", len(records), error)
                if self._abandon.wait(wait_s * random.uniform(0.5, 1.5)):  # noqa: S311
                    raise DrainingError from error
                wait_s = min(LONGEST_WAIT_S, wait_s * 2)

    def _commit(self, records: list[InspectionRecord]) -> dict[UUID, Outcome]:
        unique = {record.id: record for record in records}
        inserted = commit_inspections(self._engine, list(unique.values()), self._timezone)
        self.holding = False
        self._on_commit([unique[id_] for id_ in inserted])
        known = {id_: Outcome.of(unique[id_]) for id_ in inserted}
        earlier = [id_ for id_ in unique if id_ not in inserted]
        # A second delivery is told what the first one committed, not what this one thought.
        return {**known, **(outcomes(self._engine, earlier) if earlier else {})}


def not_before(began: float, ended: float) -> float:
    """When the next commit may begin, after one from `began` to `ended` (seconds, any clock)."""
    return began + min((ended - began) / SHARE, LONGEST_APART_S)


def receipt_for(picture_id: UUID, outcome: Outcome) -> Receipt:
    """The receipt for what is committed."""
    return Receipt(
        id=picture_id,
        verdict=outcome.verdict,
        defect_class=outcome.defect_class,
        confidence=outcome.confidence,
        reason=outcome.reason,
        model_version=outcome.model_version,
        decided_at=outcome.decided_at,
    )


def _passing(error: SQLAlchemyError) -> bool:
    """Whether waiting can mend it: a lost connection, a lock, a deadlock, a full disk."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return isinstance(error, _PASSING)
