"""Sending dead letters again, as standard tasks with the ids they had."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine

from db import requeues
from db.dead_letters import Letter
from linewatch.errors import DeadLetterError
from linewatch.settings import Settings
from producer.contract import (
    TASK,
    ParsedMessage,
    Reason,
    SigningKeys,
    UnreadableMessageError,
    parse_message,
)
from producer.messages import as_task
from producer.publisher import Publisher

ORIGIN = "linewatch-requeue"


@dataclass(frozen=True, slots=True)
class Requeued:
    """How many pictures went again, and how many of their rows wait to be replaced."""

    pictures: int
    replacing: int


def requeue(
    engine: Engine, settings: Settings, letter: Letter, *, by: str, trust: bool = False
) -> Requeued:
    """Send a letter's message again. The pictures' rows stay until their new verdicts replace them.

    First the database says that they may be replaced, then the message goes: cut off in between,
    nothing is lost and nothing is counted twice, and the same call again completes it.

    Args:
        trust: send a message whose signature was not good, signed with this machine's key.

    Raises:
        DeadLetterError: the letter holds no message that could be read now.
        QueueUnavailableError: Redis did not take it; call again when it does.
    """
    if letter.reason == Reason.BAD_SIGNATURE and not trust:
        raise DeadLetterError(
            f"letter {letter.id} was not signed with a known key, so nobody knows who wrote it: "
            f"look at it with `linewatch dead-letters show {letter.id}`, and if you vouch for "
            "every path in it, add --trust"
        )
    keys = SigningKeys.parse(settings.signing_keys.get_secret_value())
    payload = {name: value for name, value in message_in(letter).items() if name != "signature"}
    images = _readable(letter, payload).images
    payload["enqueued_at"] = datetime.now(UTC).isoformat()
    payload["images"] = [image.model_dump(mode="json", exclude_none=True) for image in images]
    task = as_task(keys.sign(payload), ORIGIN)
    ids = [image.id for image in images]
    replacing = requeues.allow(engine, letter.id, ids, by=by)
    publisher = Publisher(settings, ORIGIN)
    try:
        publisher.publish([task])
    finally:
        publisher.close()
    return Requeued(len(ids), len(replacing))


def message_in(letter: Letter) -> dict[str, Any]:
    """The message that a letter keeps: as itself, or in the Celery envelope it came in.

    Raises:
        DeadLetterError: it keeps none.
    """
    try:
        found = json.loads(letter.payload)
        if isinstance(found, Mapping) and "body" in found:
            headers = found.get("headers")
            if not isinstance(headers, Mapping) or headers.get("task") != TASK:
                raise DeadLetterError(f"letter {letter.id} is not a {TASK} task")
            found = json.loads(base64.b64decode(found["body"], validate=True))[0][0]
    except (ValueError, TypeError, LookupError, binascii.Error, RecursionError):
        raise DeadLetterError(
            f"letter {letter.id} keeps no whole message, so it cannot be sent again; let the "
            "producer send the picture anew"
        ) from None
    if not isinstance(found, dict) or "images" not in found:
        raise DeadLetterError(f"letter {letter.id} keeps no message with images")
    return found


def _readable(letter: Letter, payload: object) -> ParsedMessage:
    try:
        message = parse_message(payload)
    except UnreadableMessageError as error:
        raise DeadLetterError(
            f"letter {letter.id} would be refused again: {error}; update this Linewatch, or let "
            "the producer send the picture anew"
        ) from None
    if not message.images:
        raise DeadLetterError(f"letter {letter.id} has no picture whose fields can be used")
    return message
