"""The envelope that Celery gets in place of the sender's: fixed values around an id. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workers.broker.argsrepr import argsrepr
from workers.broker.redelivery import HEADER


def fresh_headers(
    task: str,
    task_id: str,
    body: Sequence[Any],
    headers: Mapping[str, Any],
    properties: Mapping[str, Any],
) -> dict[str, Any]:
    """Celery's headers, protocol 2. A message is taken now: it is judged, however late it is."""
    made = {
        "lang": "py",
        "task": task,
        "id": task_id,
        "root_id": task_id,
        "parent_id": None,
        "eta": None,
        "expires": None,
        "retries": 0,
        "timelimit": [None, None],
        "argsrepr": argsrepr(body),
        "kwargsrepr": "{}",
        "ignore_result": True,
    }
    if _redelivered(properties):  # else nobody can have given it back
        made[HEADER] = headers.get(HEADER) is True
    return made


def fresh_properties(
    task_id: str, tag: object, queue: str, properties: Mapping[str, Any]
) -> dict[str, Any]:
    """kombu's properties: no reply is sent, and a message goes back to where it came from."""
    priority = properties.get("priority")
    known = type(priority) is int and 0 <= priority <= 9
    info: dict[str, Any] = {"exchange": "", "routing_key": queue}
    if _redelivered(properties):
        info["redelivered"] = True
    return {
        "correlation_id": task_id,
        "reply_to": "",
        "delivery_mode": 2,
        "delivery_info": info,
        "priority": priority if known else 0,  # by which it goes back into a list of its queue
        "body_encoding": "base64",
        "delivery_tag": tag,
    }


def _redelivered(properties: Mapping[str, Any]) -> bool:
    info = properties.get("delivery_info")
    return isinstance(info, dict) and info.get("redelivered") is True
