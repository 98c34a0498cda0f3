"""Inspects the pictures of redelivered messages, so that one that kills workers is found out."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from threading import Lock
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from db.inspections import suspects
from db.session import transaction
from producer.contract import Reason, Verdict
from workers.broker import dead_letter
from workers.broker.poison import MAX_DEATHS, Suspicion, trial
from workers.pipeline.inspection_request import InspectionRequest
from workers.pipeline.pipeline import Pipeline
from workers.pipeline.reply import NotJudgedError, Reply

log = logging.getLogger(__name__)


class Suspects:
    """The way through the worker for pictures that were with a worker when it died.

    Args:
        engine: where the counts are kept; redelivery cannot reset them there.
        pipeline: judges.
        worker: this worker's name.
    """

    def __init__(self, engine: Engine, pipeline: Pipeline, worker: str) -> None:
        self._engine = engine
        self._pipeline = pipeline
        self._worker = worker
        self._one_at_a_time = Lock()

    def inspect(
        self, requests: Sequence[InspectionRequest], task_id: str, *, died: bool = True
    ) -> list[Reply]:
        """Inspect a redelivered message's pictures; those that killed too often are buried.

        `died` says whether the worker that had the message last died with it.
        """
        by_id = {request.id: request for request in requests}
        known = suspects.counts(self._engine, list(by_id))
        suspicions = {id_: Suspicion(c.deaths, c.alone) for id_, c in known.items()}
        unknown = Suspicion(deaths=int(died))
        verdict = trial(list(by_id), suspicions, unknown)
        replies = [self._bury(by_id[id_], task_id) for id_ in verdict.condemned]
        replies += self._try([by_id[i] for i in verdict.together], unknown, alone=False)
        for id_ in verdict.one_by_one:
            with self._one_at_a_time:
                replies += self._try([by_id[id_]], unknown, alone=True)
        return replies

    def acquit(self, ids: Sequence[UUID]) -> None:
        """Forget what was counted in advance for pictures whose trial came to no end here."""
        if not ids:
            return
        try:
            with transaction(self._engine) as connection:
                suspects.acquit(connection, ids)
        except SQLAlchemyError as error:
            log.warning("%d pictures stay under suspicion: %s", len(ids), error)

    def _try(
        self, requests: Sequence[InspectionRequest], before: Suspicion, *, alone: bool
    ) -> list[Reply]:
        if not requests:
            return []
        ids = [request.id for request in requests]
        with transaction(self._engine) as connection:
            suspects.begin_trial(
                connection, ids, alone=alone, worker=self._worker, before=before.deaths
            )
        reply = self._pipeline.inspect(requests)
        reply.wait()  # for its end, whatever that is: the worker lives
        # What the device refuses each time would come back for ever: it counts as a death.
        refused = {i for i, e in reply.failures.items() if isinstance(e, NotJudgedError)}
        with transaction(self._engine) as connection:
            suspects.acquit(connection, [id_ for id_ in ids if id_ not in refused])
        return [reply]

    def _bury(self, request: InspectionRequest, task_id: str) -> Reply:
        detail = (
            f"{MAX_DEATHS} workers died with this picture in their hands, or could not judge it; "
            "look at it before you send it again with `linewatch dead-letters requeue`"
        )
        dead_letter.keep(
            self._engine,
            request.message(),
            reason=Reason.POISON,
            detail=detail,
            task_id=task_id,
            image_id=request.id,
        )
        record = request.record(Verdict.DEAD_LETTER, reason=Reason.POISON, detail=detail)
        return self._pipeline.record([record], request.envelope.producer)
