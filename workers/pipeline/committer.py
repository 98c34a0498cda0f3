"""The one place that writes verdicts: a thread that commits rows, then sends receipts.

While the database is away it holds what it has and tries again, so the worker's messages stay
unacknowledged and the queue keeps the rest. Nothing is dropped, and nothing new is taken. A row
that it refuses is found by halving, so its neighbours are committed, and becomes a dead letter.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Condition, Thread
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from db.inspections.inspections import commit_inspections, outcomes
from db.inspections.records import InspectionRecord, Outcome
from db.outage import in_a_line
from producer.contract import Receipt
from workers.pipeline.commit_request import Committable
from workers.pipeline.database_wait import LONGEST_WAIT_S, DatabaseWait
from workers.pipeline.receipts import ReceiptWriter
from workers.pipeline.refused_rows import MAX_REFUSALS, bury
from workers.pipeline.reply import DrainingError
from workers.pipeline.stage_timing import Stage, StageTiming

log = logging.getLogger(__name__)

MAX_ROWS = 512  # a transaction this long is still a few milliseconds
# A commit takes some milliseconds of the worker's time whether it has two rows or twenty. So after
# one, rows gather until commits take a fifth of the time, or for as long as a person would not
# notice. A row that comes after a pause is committed at once.
SHARE = 0.2
LONGEST_APART_S = 0.03
REFUSED_WAIT_S = 0.2  # before refused rows are tried again, all of a batch together


@dataclass(frozen=True, slots=True, eq=False)
class Refused:
    """A row that the database does not take, and how it said so."""

    request: Committable
    error: Exception


class Committer:
    """Commits rows in the order they come, many to a transaction.

    While one transaction runs, the next gathers: what was judged meanwhile is committed together.

    Args:
        engine: the database.
        receipts: tells the producers.
        timezone: the plant's, for hourly roll-ups.
        depth: how many rows may wait before those who bring more are held up.
        on_busy: is told when a commit begins and when it ends.
        on_commit: each is given the rows that are new, after their commit.
        timing: is told how long commits and receipts took.

    What is told must not raise or block.
    """

    def __init__(
        self,
        engine: Engine,
        receipts: ReceiptWriter,
        *,
        timezone: ZoneInfo,
        depth: int,
        on_busy: Callable[[bool], None] = lambda busy: None,
        on_commit: Sequence[Callable[[Sequence[InspectionRecord]], None]] = (),
        timing: StageTiming | None = None,
    ) -> None:
        self._engine = engine
        self._receipts = receipts
        self._timezone = timezone
        self._on_busy = on_busy
        self._on_commit = on_commit
        self._timing = timing or StageTiming()
        self._depth = depth
        self._waiting: list[Committable] = []
        self._changed = Condition()
        self._stopping = self._ended = False
        self._not_before = 0.0  # when the next commit may begin, unless it is full
        self._thread = Thread(target=self._run, name="commit", daemon=True)
        self.holding = DatabaseWait()

    def start(self) -> None:
        """Begin to commit."""
        self._thread.start()

    def put(self, rows: Sequence[Committable]) -> None:
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
        for request in rows:
            request.fail(DrainingError())

    def stop(self, timeout_s: float) -> None:
        """Commit what waits, for at most `timeout_s`; what is left goes back to the queue."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join(timeout_s)
        self.holding.abandon()
        self._thread.join(LONGEST_WAIT_S)

    def _run(self) -> None:
        while self._any():
            self._on_busy(True)
            batch = self._gather()
            began = time.monotonic()
            try:
                self._settle(batch)
            except Exception as error:  # nobody else commits: what nobody foresaw must not end it
                log.exception("%d rows go back to the queue", len(batch))
                for request in batch:
                    request.fail(error)
            self._not_before = not_before(began, time.monotonic())
            self._on_busy(False)

    def _any(self) -> bool:
        """Wait for rows; False once it is stopping and all are committed."""
        with self._changed:
            while not self._waiting and not self._stopping:
                self._changed.wait()
            self._ended = not self._waiting
            return not self._ended

    def _gather(self) -> list[Committable]:
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

    def _settle(self, batch: list[Committable]) -> None:
        """Commit the rows, or bury those that are refused each time; what remains goes back."""
        refused = self._commit_in_halves(batch)
        for _ in range(MAX_REFUSALS - 1):
            if not refused:
                return
            if not self.holding.pause(REFUSED_WAIT_S):
                for one in refused:
                    one.request.fail(DrainingError())
                return
            refused = self._commit_in_halves([one.request for one in refused])
        for one in refused:
            self._bury(one)

    def _commit_in_halves(self, batch: list[Committable]) -> list[Refused]:
        """Commit what the database takes; returns the rows that it refuses by themselves."""
        try:
            with self._timing.timed(Stage.COMMIT, len(batch)):
                records = [request.row for request in batch]
                committed = self.holding.hold(partial(self._commit, records), len(batch))
        except DrainingError as error:
            for request in batch:
                request.fail(error)
            return []
        except Exception as error:
            if len(batch) == 1:
                return [Refused(batch[0], error)]
            half = len(batch) // 2
            return self._commit_in_halves(batch[:half]) + self._commit_in_halves(batch[half:])
        self._answer(batch, committed)
        return []

    def _answer(self, batch: Sequence[Committable], committed: Mapping[UUID, Outcome]) -> None:
        """Tell the producers, then those who wait."""
        with self._timing.timed(Stage.RECEIPT, len(batch)):
            self._receipts.send(
                (request.producer, receipt_for(request.row.id, committed[request.row.id]))
                for request in batch
                if request.producer is not None
            )
        for request in batch:
            request.settle(committed[request.row.id])

    def _bury(self, refused: Refused) -> None:
        request, error = refused.request, refused.error
        record = request.row
        burying = partial(bury, self._engine, self._commit, request, error)
        try:
            outcome = self.holding.hold(burying, 1)
        except Exception as problem:
            if not isinstance(problem, DrainingError):
                log.error(
                    "picture %s: refused, and so is its dead letter: %s",
                    record.id,
                    in_a_line(problem),
                )
            request.fail(problem)
            return
        log.error(
            "picture %s is a dead letter: the database refused its row: %s",
            record.id,
            in_a_line(error),
        )
        self._answer([request], {record.id: outcome})

    def _commit(self, records: Sequence[InspectionRecord]) -> dict[UUID, Outcome]:
        unique = {record.id: record for record in records}
        inserted = commit_inspections(self._engine, list(unique.values()), self._timezone)
        new = [unique[id_] for id_ in inserted]
        for told in self._on_commit:
            told(new)
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
