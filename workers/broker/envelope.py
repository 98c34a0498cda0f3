"""The gate: what of a queue's entry kombu and Celery get to see. Pure.

Whoever may push to a queue writes the envelope, and kombu and Celery act on much of it before any
signature is checked: they unpack, revive objects, start other tasks, or end. So nothing of an entry
goes on to them. They get an envelope made here, of its id and its body and fixed values, and the
body that was read here, plainly, once. What is not a task of that very queue is refused.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any, TypeGuard

from linewatch.errors import LinewatchError
from producer.contract import strict_json
from workers.broker.fresh_envelope import fresh_headers, fresh_properties

MAX_BYTES = 1024 * 1024
MAX_REST_BYTES = 64 * 1024  # an entry without its body; our producers' have less than 4 KiB
MAX_NAME = 255  # characters of an id or a delivery tag
_CODINGS = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
_WORKFLOW = frozenset({"callbacks", "errbacks", "chain", "chord"})


class RefusedError(LinewatchError):
    """The entry is no message of its queue. `task_id` is the id it names, if it can be shown."""

    def __init__(self, problem: str, task_id: str | None = None) -> None:
        super().__init__(problem)
        self.task_id = task_id


@dataclass(frozen=True, slots=True)
class Admitted:
    """A message as it goes on: the envelope that was made anew, and the body, read.

    Attributes:
        envelope: in kombu's form for virtual transports; nothing in it is the sender's but the id,
            the delivery tag, the body, and whether, and by whom, it was given back.
        body: `[arguments, keyword arguments, workflow]`.
    """

    envelope: dict[str, Any]
    body: list[Any]

    @property
    def delivery_tag(self) -> str:
        """Under which it is held."""
        return str(self.envelope["properties"]["delivery_tag"])


def admit(item: bytes, queue: str, tasks: Set[str], max_bytes: int = MAX_BYTES) -> Admitted:
    """Let an entry of a queue pass, or not. Its size is looked at before anything in it.

    Args:
        item: the entry.
        queue: the queue it lay in.
        tasks: the names of that queue's tasks.
        max_bytes: the most that body and headers may have together.

    Raises:
        RefusedError: why it is no message of that queue.
    """
    check_size(item, max_bytes)
    return admit_read(read(item), queue, tasks, max_bytes, size=len(item))


def check_size(item: bytes, max_bytes: int) -> None:
    """Refuse what could not be admitted whatever it holds.

    Raises:
        RefusedError: it is too large.
    """
    if len(item) > max_bytes * 4 // 3 + MAX_REST_BYTES:
        raise RefusedError(_too_large(len(item) * 3 // 4, max_bytes))


def read(item: bytes, levels: int = strict_json.MAX_DEPTH) -> Any:
    """The JSON of an entry.

    Raises:
        RefusedError: it is none, or none that is read here.
    """
    try:
        return strict_json.loads(item, levels)
    except strict_json.StrictJsonError as error:
        raise RefusedError(f"the envelope is {error}") from None


def admit_read(
    message: object, queue: str, tasks: Set[str], max_bytes: int = MAX_BYTES, *, size: int
) -> Admitted:
    """`admit` for an entry that is read already; `size` is that of its JSON, in bytes.

    Raises:
        RefusedError: why it is no message of that queue.
    """
    if not isinstance(message, dict):
        raise RefusedError("the envelope is not a JSON object")
    headers, properties = message.get("headers"), message.get("properties")
    if not isinstance(headers, dict):
        raise RefusedError("the envelope has no headers")
    task_id = headers.get("id")
    if not _is_name(task_id):
        raise RefusedError(f"headers.id is not a text of 1 to {MAX_NAME} printable characters")
    try:
        tag = properties.get("delivery_tag") if isinstance(properties, dict) else None
        if not isinstance(properties, dict) or not _is_name(tag):
            raise RefusedError(
                f"properties.delivery_tag is not a text of 1 to {MAX_NAME} printable characters"
            )
        task = headers.get("task")
        if not isinstance(task, str) or task not in tasks:
            raise RefusedError(f"headers.task {task!a:.80} is no task of the queue {queue}")
        _check_coding(message, headers)
        raw = _body(message, properties, max_bytes, size)
        body = _task_body(raw)
    except RefusedError as refused:
        refused.task_id = task_id
        raise
    envelope = {
        "body": message["body"],
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": fresh_headers(task, task_id, body, headers, properties),
        "properties": fresh_properties(task_id, tag, queue, properties),
    }
    return Admitted(envelope, body)


def _is_name(text: object) -> TypeGuard[str]:
    """Whether it can be an id or a tag: it goes into logs, keys and pages as it is."""
    return isinstance(text, str) and 0 < len(text) <= MAX_NAME and text.isprintable()


def _check_coding(message: Mapping[str, Any], headers: Mapping[str, Any]) -> None:
    kind, coding = message.get("content-type"), message.get("content-encoding")
    if kind != "application/json":
        raise RefusedError(f"content-type {kind!a:.40} is not application/json")
    if coding is not None and not (isinstance(coding, str) and coding.lower() in _CODINGS):
        raise RefusedError(f"content-encoding {coding!a:.40} is not utf-8")
    if headers.get("compression") is not None:
        raise RefusedError("headers.compression is set; a message's body is not compressed")


def _body(
    message: Mapping[str, Any], properties: Mapping[str, Any], max_bytes: int, size: int
) -> bytes:
    body = message.get("body")
    if not isinstance(body, str) or properties.get("body_encoding") != "base64":
        raise RefusedError("the envelope has no base64 body")
    rest = size - len(body)
    opened = len(body) * 3 // 4
    if opened + rest > max_bytes or rest > MAX_REST_BYTES:
        raise RefusedError(_too_large(opened + rest, max_bytes))
    try:
        return base64.b64decode(body)
    except (binascii.Error, ValueError) as error:
        raise RefusedError(f"the body is not base64: {error}") from None


def _too_large(size: int, max_bytes: int) -> str:
    return (
        f"body and headers have {size} bytes; LINEWATCH_MAX_MESSAGE_BYTES is {max_bytes}, of which "
        f"all but the body may have {MAX_REST_BYTES}"
    )


def _task_body(raw: bytes) -> list[Any]:
    """The body, if it is a task's and does nothing that is not ours."""
    try:
        body = strict_json.loads(raw)
    except strict_json.StrictJsonError as error:
        raise RefusedError(f"the body is {error}") from None
    if not isinstance(body, list) or len(body) != 3:
        raise RefusedError("the body is not a list of arguments, keyword arguments and workflow")
    arguments, keywords, workflow = body
    if not isinstance(arguments, list) or not isinstance(keywords, dict):
        raise RefusedError("the body's arguments are not a list and an object")
    if "self" in keywords:
        raise RefusedError("the body names 'self', which is the task's own")
    if workflow is not None and not isinstance(workflow, dict):
        raise RefusedError("the body's workflow is not an object")
    workflow = workflow or {}
    if not workflow.keys() <= _WORKFLOW:
        raise RefusedError("the workflow is not one of callbacks, errbacks, chain and chord")
    if any(workflow.values()):  # or whoever may enqueue could have us start any task
        raise RefusedError("a message of Linewatch starts no other tasks, but this one names some")
    return [arguments, keywords, dict.fromkeys(_WORKFLOW)]
