"""Sending dead letters again, as standard tasks with the ids they had."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine

from db.inspections import dead_letters, inbox, requeues
from db.inspections.dead_letters import Letter
from db.session import transaction
from linewatch.errors import DeadLetterError
from linewatch.settings import Settings
from producer.contract import (
    TASK,
    ParsedMessage,
    Reason,
    SigningKeys,
    Unknown,
    UnreadableMessageError,
    parse_message,
    strict_json,
)
from producer.contract.unknown import joined
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
    nothing is lost and nothing is counted twice, and the same call with the letter as it is by then
    completes it.

    Args:
        trust: send a message that nobody vouches for, signed with this machine's key.

    Raises:
        DeadLetterError: the letter holds no message that could be read now, or one that is not
            signed with a key of this machine, whatever the letter says is wrong with it.
        DeadLetterError: somebody sent or deleted the letter since it was read, or its pictures were
            judged.
        QueueUnavailableError: Redis did not take it; read the letter and call again when it does.
    """
    keys = SigningKeys.parse(settings.signing_keys.get_secret_value())
    kept = message_in(letter)
    problem = _distrust(letter, kept, keys)
    if problem is not None and not trust:
        raise DeadLetterError(
            f"letter {letter.id}: {problem}, so nobody knows who wrote it; look at it with "
            f"`linewatch dead-letters show {letter.id}`, and if you vouch for every path in it, "
            "add --trust"
        )
    payload = {name: value for name, value in kept.items() if name != "signature"}
    message = _readable(letter, payload)
    images = message.images
    payload["enqueued_at"] = datetime.now(UTC).isoformat()
    payload["images"] = [
        joined(
            image.model_dump(mode="json", exclude_none=True),
            message.unknown.get(image.id, Unknown()).image,
        )
        for image in images
    ]
    task = as_task(keys.sign(payload), ORIGIN)
    ids = [image.id for image in images]
    with transaction(engine) as connection:
        dead_letters.sent_again(connection, letter)
        inbox.addressed(connection, [letter.id], by=by)
        replacing = requeues.allow(connection, letter.id, ids, by=by)
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
        found = strict_json.loads(letter.payload.encode())
        if isinstance(found, Mapping) and "body" in found:
            headers = found.get("headers")
            if not isinstance(headers, Mapping) or headers.get("task") != TASK:
                raise DeadLetterError(f"letter {letter.id} is not a {TASK} task")
            found = strict_json.loads(base64.b64decode(found["body"], validate=True))[0][0]
    except (ValueError, TypeError, LookupError, binascii.Error):
        raise DeadLetterError(
            f"letter {letter.id} keeps no whole message, so it cannot be sent again; let the "
            "producer send the picture anew"
        ) from None
    if not isinstance(found, dict) or "images" not in found:
        raise DeadLetterError(f"letter {letter.id} keeps no message with images")
    return found


def _distrust(letter: Letter, message: Mapping[str, Any], keys: SigningKeys) -> str | None:
    """Why the kept message cannot be signed as it is; None if it can.

    The reason that a letter was written for is no answer: of a message with several things wrong
    only one is named. Where there are keys, what is kept is checked as a worker would check it.
    """
    if keys:
        return keys.problem(message, required=True)
    if letter.reason == Reason.BAD_SIGNATURE:
        return "its signature was not good, and this machine has no key to check it with"
    return None


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
