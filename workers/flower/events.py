"""Events of workers as Flower may show them: text and numbers, nothing that can become an element.

Flower's tables escape text. What is a list or an object they put into the page as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# What Celery's state of tasks and workers computes with, and Flower shows without escaping it.
_NUMBERS = frozenset(
    {
        *("timestamp", "local_received", "utcoffset", "pid", "clock", "freq"),
        *("active", "processed", "retries", "runtime", "sent", "received", "started", "rejected"),
        *("succeeded", "failed", "retried", "revoked"),
    }
)
_INTERNAL = frozenset({"worker", "client", "cluster_state", "heartbeats", "heartbeat_max"})


def plain(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event with each value of the kind that Flower expects of it.

    A number that is none is left out; anything else that is neither text nor number becomes text.
    """
    return {
        str(name): _plain(name, value)
        for name, value in event.items()
        if name not in _INTERNAL and (name not in _NUMBERS or value is None or _is_number(value))
    }


def _plain(name: str, value: Any) -> Any:
    if name == "loadavg":
        return [n for n in value if _is_number(n)] if isinstance(value, list) else None
    if value is None or isinstance(value, (bool, str)) or name in _NUMBERS:
        return value
    return str(value)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
