"""What a Celery envelope must be, so that nothing between the queue and the task trips over it.

Celery and kombu end the worker, or acknowledge and forget the message, for much of what is refused
here: a coding nobody knows, a time limit that is no number, a body that is JSON but no task.
"""

from __future__ import annotations

import base64
import json
from typing import Any

_CODINGS = ("utf-8", "utf8", "us-ascii", "ascii")
_WORKFLOW = frozenset({"callbacks", "errbacks", "chain", "chord"})


def envelope_problem(message: object, max_bytes: int = 1024 * 1024) -> str | None:
    """What kombu would trip over in a message's envelope, or its size; None if nothing."""
    if not isinstance(message, dict):
        return "the envelope is not a JSON object"
    properties = message.get("properties")
    if not isinstance(properties, dict) or not isinstance(properties.get("delivery_tag"), str):
        return "the envelope has no properties.delivery_tag"
    if not _is_unicode(properties["delivery_tag"]):
        return "the envelope's properties.delivery_tag is not Unicode"
    info = properties.get("delivery_info")
    if not isinstance(info, dict) or not {"exchange", "routing_key"} <= info.keys():
        return "the envelope has no properties.delivery_info with exchange and routing_key"
    headers = message.get("headers")
    if not isinstance(headers, dict):
        return "the envelope has no headers"
    for name in ("task", "id"):
        if not isinstance(headers.get(name), str):
            return f"the envelope has no headers.{name}"
    return _coding_problem(message) or _size_problem(message, max_bytes)


def _is_unicode(text: str) -> bool:
    """Whether it can be sent anywhere: JSON may hold halves of surrogate pairs."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _coding_problem(message: dict[str, Any]) -> str | None:
    kind, coding = message.get("content-type"), message.get("content-encoding")
    if kind != "application/json":
        return f"content-type {kind!a:.40} is not application/json"
    if coding is not None and (not isinstance(coding, str) or coding.lower() not in _CODINGS):
        return f"content-encoding {coding!a:.40} is not utf-8"
    body = message.get("body")
    if not isinstance(body, str) or message["properties"].get("body_encoding") != "base64":
        return "the envelope has no base64 body"
    try:
        base64.b64decode(body).decode()
    except ValueError as error:
        return f"the body is not UTF-8 in base64: {error}"
    return None


def _size_problem(message: dict[str, Any], max_bytes: int) -> str | None:
    size = len(message["body"]) * 3 // 4 + len(json.dumps(message["headers"]))
    if size > max_bytes:
        return f"body and headers have {size} bytes; LINEWATCH_MAX_MESSAGE_BYTES is {max_bytes}"
    return None


def take_now(headers: dict[str, Any]) -> None:
    """Forget when a message wants to be taken: Celery would drop it, or keep it from others.

    A picture that was accepted is judged, however late; a pool of threads knows no time limits.
    """
    headers.update(eta=None, expires=None, timelimit=[None, None])


def body_problem(body: object) -> str | None:
    """What Celery would trip over in a decoded body, or do that is not ours; None if nothing."""
    if not isinstance(body, list) or len(body) != 3:
        return "the body is not a list of arguments, keyword arguments and workflow"
    arguments, keywords, workflow = body
    if not isinstance(arguments, list) or not isinstance(keywords, dict):
        return "the body's arguments are not a list and an object"
    if "self" in keywords:
        return "the body names 'self', which is the task's own"
    if workflow is None or workflow == {}:
        return None
    if not isinstance(workflow, dict) or not workflow.keys() <= _WORKFLOW:
        return "the body's workflow is not an object of callbacks, errbacks, chain and chord"
    if any(workflow.values()):  # or whoever may enqueue could have us start any task
        return "a message of Linewatch starts no other tasks, but this one names some"
    return None
