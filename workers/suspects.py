"""Inspects the pictures of redelivered messages, so that one that kills workers is found out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import Future
from threading import Lock

from sqlalchemy import Engine

from db import dead_letters, suspects
from db.records import Outcome
from producer.contract import Reason, Verdict
from producer.contract.message import Envelope, ImageRef
from workers.pipeline import Pipeline
from workers.poison import MAX_DEATHS, Suspicion, trial
from workers.work import Work


class SuspectLane:
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

    def inspect(self, works: Sequence[Work], task_id: str) -> list[Future[Outcome]]:
        """Inspect a redelivered message's pictures; those that killed too often are buried."""
        by_id = {work.id: work for work in works}
        known = suspects.counts(self._engine, list(by_id))
        suspicions = {id_: Suspicion(c.deaths, c.alone) for id_, c in known.items()}
        verdict = trial(list(by_id), suspicions)
        waiting = [self._bury(by_id[id_], task_id) for id_ in verdict.condemned]
        waiting += self._try([by_id[id_] for id_ in verdict.together], alone=False)
        for id_ in verdict.one_by_one:
            with self._one_at_a_time:
                waiting += self._try([by_id[id_]], alone=True)
        return waiting

    def _try(self, works: Sequence[Work], *, alone: bool) -> list[Future[Outcome]]:
        if not works:
            return []
        ids = [work.id for work in works]
        suspects.begin_trial(self._engine, ids, alone=alone, worker=self._worker)
        waiting = self._pipeline.inspect(works)
        for future in waiting:
            future.exception()  # wait for its end, whatever that is: the worker lives
        suspects.acquit(self._engine, ids)
        return waiting

    def _bury(self, work: Work, task_id: str) -> Future[Outcome]:
        detail = (
            f"{MAX_DEATHS} workers died with this picture in their hands; look at it before you "
            "send it again with `linewatch dead-letters requeue`"
        )
        dead_letters.add(
            self._engine,
            task_id=task_id,
            reason=Reason.POISON,
            detail=detail,
            payload=json.dumps(message_of(work.envelope, work.image), ensure_ascii=False),
            image_id=work.id,
        )
        record = work.record(Verdict.DEAD_LETTER, reason=Reason.POISON, detail=detail)
        return self._pipeline.record(record, work.envelope.producer)


def message_of(envelope: Envelope, image: ImageRef) -> dict[str, object]:
    """The message that asks for this one picture."""
    images = [image.model_dump(mode="json", exclude_none=True)]
    # Without the signature: it was for the whole message.
    rest = envelope.model_dump(mode="json", exclude_none=True, exclude={"signature"})
    return {**rest, "images": images}
