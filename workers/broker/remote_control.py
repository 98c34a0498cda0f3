"""What a worker answers to remote control: to anybody who may publish in Redis, and so to Flower.

Celery hides what it knows to be secret in its settings. A URL in a setting of somebody else's, or
in the statistics of a connection, is not known to it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from celery.worker.control import Panel

from linewatch.redaction import redactor
from linewatch.settings import Settings


def keep_secrets(settings: Settings) -> None:
    """Let no answer of this process hold a secret of these settings."""
    redact = redactor(settings)
    for name, command in list(Panel.data.items()):
        Panel.data[name] = _redacting(getattr(command, "__wrapped__", command), redact)


def _redacting(command: Callable[..., Any], redact: Callable[[Any], Any]) -> Callable[..., Any]:
    @wraps(command)
    def answer(*args: Any, **kwargs: Any) -> Any:
        return redact(command(*args, **kwargs))

    return answer
