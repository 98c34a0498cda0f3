"""The `linewatch.inspect` task: a message in, one committed row for each of its pictures out.

The task returns only when every picture is committed; Celery then acknowledges the message. A
message that cannot be finished now (the worker stops, something unforeseen breaks) goes back to
the queue: it is never acknowledged without its rows.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Collection
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from celery import Task, shared_task
from celery.exceptions import Reject
from sqlalchemy.exc import SQLAlchemyError

from db.inspections import requeues
from db.inspections.inspections import outcomes
from db.inspections.records import InspectionRecord, Outcome
from db.outage import in_a_line
from producer.contract import (
    TASK,
    ParsedMessage,
    Reason,
    Unknown,
    UnreadableMessageError,
    Verdict,
    parse_message,
)
from workers.broker import dead_letter
from workers.broker.redelivery import Delivery, note_task
from workers.pipeline import progress
from workers.pipeline.committer import receipt_for
from workers.pipeline.inspection_request import InspectionRequest
from workers.pipeline.reply import DrainingError, Reply, results
from workers.pipeline.stage_timing import Stage

if TYPE_CHECKING:  # every worker imports this module; only those that inspect load torch
    from workers.runtime import InspectRuntime

log = logging.getLogger(__name__)

NOTHING = Unknown()
REQUEUE_WAIT_S = 1.0  # an unforeseen error must not become a busy loop


@shared_task(name=TASK, bind=True, acks_late=True, ignore_result=True)
def inspect(self: Task, *args: object, **kwargs: object) -> str:
    """Inspect the pictures of one message; returns a count by verdict, for Flower."""
    payload = args[0] if len(args) == 1 and not kwargs else {"args": args, "kwargs": kwargs}
    delivery = Delivery.of(self.request)
    from workers.runtime import runtime_of

    runtime = runtime_of(self.app)
    try:
        return _handle(runtime, payload, task_id=str(self.request.id), delivery=delivery)
    except DrainingError:
        note_task(self.request)
        raise Reject("the worker is stopping", requeue=True) from None
    except Exception as error:
        if isinstance(error, SQLAlchemyError):  # a traceback tells nothing more, once a second
            log.error("message %s goes back to the queue: %s", self.request.id, in_a_line(error))
        else:
            log.exception("message %s goes back to the queue", self.request.id)
        time.sleep(REQUEUE_WAIT_S * random.uniform(0.5, 1.5))  # noqa: S311
        raise Reject(in_a_line(error), requeue=True) from error


def _handle(runtime: InspectRuntime, payload: object, *, task_id: str, delivery: Delivery) -> str:
    try:
        message = parse_message(payload, runtime.keys, require_signature=runtime.require_signatures)
    except UnreadableMessageError as error:
        return progress.summary(_bury(runtime, payload, error, task_id))
    except MemoryError:
        raise
    except Exception as error:  # reading is pure: what fails once would come back for ever
        log.exception("message %s broke its reader", task_id)
        detail = f"reading it failed: {error!r:.200}"
        unread = UnreadableMessageError(Reason.UNREADABLE_MESSAGE, detail, (), None)
        return progress.summary(_bury(runtime, payload, unread, task_id))
    waited = datetime.now(UTC) - message.envelope.enqueued_at
    runtime.timing.note(Stage.QUEUE_WAIT, len(message.images), max(0.0, waited.total_seconds()))
    with runtime.timing.timed(Stage.RECEIVE, len(message.images)):
        known = {} if delivery is Delivery.FIRST else _already_committed(runtime, message)
    runtime.received += 1
    runtime.unknown_fields.note(message)
    replies = _begin(runtime, message, known, task_id=task_id, delivery=delivery)
    if message.refusals:
        replies.append(_refuse(runtime, message, task_id))
    progress.wait(replies, list(known.values()), partial(progress.tell_flower, task_id))
    return progress.summary([*known.values(), *results(replies)])


def _begin(
    runtime: InspectRuntime,
    message: ParsedMessage,
    known: Collection[UUID],
    *,
    task_id: str,
    delivery: Delivery,
) -> list[Reply]:
    """Start the inspection of its pictures, but for those that are `known`."""
    requests = [
        InspectionRequest(
            image,
            message.envelope,
            runtime.worker,
            message.unknown.get(image.id, NOTHING),
            runtime.keys,
        )
        for image in message.images
        if image.id not in known
    ]
    if delivery is Delivery.FIRST:
        return [runtime.pipeline.inspect(requests)]
    died = delivery is Delivery.AFTER_DEATH
    return runtime.suspects.inspect(requests, task_id, died=died)


def _already_committed(runtime: InspectRuntime, message: ParsedMessage) -> dict[UUID, Outcome]:
    """What an earlier delivery committed; its receipts may have been lost, so they go again."""
    known = outcomes(runtime.engine, [image.id for image in message.images])
    dead = [id_ for id_, outcome in known.items() if outcome.verdict is Verdict.DEAD_LETTER]
    for id_ in requeues.awaited(runtime.engine, dead):  # sent again by a person: not settled
        del known[id_]
    runtime.suspects.acquit(list(known))  # their worker may have died between row and acquittal
    producer = message.envelope.producer
    if producer is not None:
        runtime.receipts.send(
            (producer, receipt_for(id_, outcome)) for id_, outcome in known.items()
        )
    return known


def _refuse(runtime: InspectRuntime, message: ParsedMessage, task_id: str) -> Reply:
    """Rows for pictures whose own fields cannot be used."""
    records = []
    nameless = [refusal for refusal in message.refusals if refusal.id is None]
    if nameless:
        detail = "; ".join(refusal.detail for refusal in nameless)
        raw = [refusal.fields for refusal in nameless]
        dead_letter.keep(
            runtime.engine, raw, reason=Reason.INVALID_FIELDS, detail=detail, task_id=task_id
        )
    for refusal in message.refusals:
        if refusal.id is None:
            continue
        fields = refusal.fields if isinstance(refusal.fields, dict) else {}
        record = InspectionRecord.unreadable(
            refusal.id,
            verdict=Verdict.REJECTED,
            reason=Reason.INVALID_FIELDS,
            detail=refusal.detail,
            worker=runtime.worker,
            product=message.envelope.product,
            line=message.envelope.line,
            image_uri=_text(fields.get("uri")),
        )
        records.append(record)
    return runtime.pipeline.record(records, message.envelope.producer)


def _bury(
    runtime: InspectRuntime, payload: object, error: UnreadableMessageError, task_id: str
) -> list[Outcome]:
    """Keep a message that cannot be read, with a row for every picture id it still shows."""
    log.error("message %s cannot be read: %s", task_id, error)
    dead_letter.keep(
        runtime.engine, payload, reason=error.reason, detail=str(error), task_id=task_id
    )
    records = [
        InspectionRecord.unreadable(
            picture_id,
            verdict=Verdict.DEAD_LETTER,
            reason=error.reason,
            detail=str(error),
            worker=runtime.worker,
        )
        for picture_id in error.ids
    ]
    return runtime.pipeline.record(records, error.producer).result()


def _text(value: Any) -> str | None:
    return value[:4096] if isinstance(value, str) else None
