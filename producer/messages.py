"""Pictures become messages, and messages become the Celery tasks that workers take."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from producer.contract import MAX_IMAGES, TASK, VERSION, SigningKeys
from producer.outbox import QueuedPicture
from producer.uuid7 import uuid7

_ENVELOPE_BYTES = 8 * 1024  # the rest of a message and its headers, at their longest
_ATTEMPT_BYTES = 32
_ARGSREPR = 200  # characters


@dataclass(frozen=True, slots=True)
class TaskMessage:
    """A task in Celery's protocol 2: what `app.amqp.as_task_v2` makes, without importing Celery."""

    id: str
    headers: dict[str, Any]
    body: tuple[list[Any], dict[str, Any], dict[str, Any]]


def group(
    pictures: Iterable[QueuedPicture], limit: int, max_bytes: int = 1024 * 1024
) -> list[list[QueuedPicture]]:
    """Cut a row of pictures into messages without changing its order.

    Neighbours of one line and product share a message, up to `limit` of them; a burst's
    pictures stay among themselves, up to the contract's 64. No message's body is larger than
    `max_bytes`, which workers would refuse; any single picture fits into it.
    """
    messages: list[list[QueuedPicture]] = []
    for key, run in groupby(pictures, key=lambda p: (p.line, p.product, p.burst)):
        most = limit if key[2] is None else MAX_IMAGES
        messages += _cut(run, most, max_bytes - _ENVELOPE_BYTES)
    return messages


def _cut(run: Iterable[QueuedPicture], most: int, most_bytes: int) -> Iterator[list[QueuedPicture]]:
    message: list[QueuedPicture] = []
    size = 0
    for picture in run:
        bytes_ = len(json.dumps(picture.image)) + _ATTEMPT_BYTES
        if message and (len(message) == most or size + bytes_ > most_bytes):
            yield message
            message, size = [], 0
        message.append(picture)
        size += bytes_
    if message:
        yield message


def to_task(
    pictures: Sequence[QueuedPicture],
    producer: str,
    keys: SigningKeys | None = None,
    site: str = "",
    ahead_s: float = 0.0,
) -> TaskMessage:
    """One message of these pictures, which share line and product, signed if there is a key.

    `ahead_s` is how far the clock of Redis is ahead of this PC's: the message says in that clock
    when it was sent.
    """
    first = pictures[0]
    payload = {
        "version": VERSION,
        "product": first.product,
        "line": first.line,
        "enqueued_at": (datetime.now(UTC) + timedelta(seconds=ahead_s)).isoformat(),
        "producer": producer,
        "images": [{**picture.image, "attempt": picture.attempts + 1} for picture in pictures],
    }
    if site:
        payload["site"] = site
    return as_task((keys or SigningKeys()).sign(payload), producer)


def as_task(payload: dict[str, Any], origin: str) -> TaskMessage:
    """The task, with an id of its own, that carries a message."""
    task_id = str(uuid7())
    no_callbacks = dict.fromkeys(("callbacks", "errbacks", "chain", "chord"))
    return TaskMessage(
        task_id, task_headers(task_id, describe(payload), origin), ([payload], {}, no_callbacks)
    )


def describe(payload: dict[str, Any]) -> str:
    """What Flower shows as the task's arguments: `line-1 · cam-2 · 16 × cable`."""
    images = payload["images"]
    cameras = ", ".join(dict.fromkeys(image["camera"] for image in images))
    text = f"{payload['line']} · {cameras} · {len(images)} × {payload['product']}"
    return text if len(text) <= _ARGSREPR else f"{text[: _ARGSREPR - 1]}…"


def task_headers(task_id: str, argsrepr: str, origin: str) -> dict[str, Any]:
    """The headers by which a Celery worker knows its task."""
    return {
        "lang": "py",
        "task": TASK,
        "id": task_id,
        "shadow": None,
        "eta": None,
        "expires": None,
        "group": None,
        "group_index": None,
        "retries": 0,
        "timelimit": [None, None],
        "root_id": task_id,
        "parent_id": None,
        "argsrepr": argsrepr,
        "kwargsrepr": "{}",
        "origin": origin,
        "ignore_result": True,
        "replaced_task_nesting": 0,
        "stamped_headers": None,
        "stamps": {},
    }


def new_burst() -> str:
    """A name that the pictures of one burst share."""
    return uuid.uuid4().hex
