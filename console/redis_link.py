"""What the processes of a console tell each other through Redis; they work without it, too."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

import redis

from linewatch.redis_access.client import quick_client
from linewatch.settings import Settings

log = logging.getLogger(__name__)

T = TypeVar("T")
AWAY_FOR_S = 5.0  # who waited in vain once is spared for so long


class RedisLink:
    """A kept connection, for what serves well and nobody needs. Safe to share between threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._client: redis.Redis | None = None
        self._away_until = 0.0
        self._is_away = False

    def ask(self, question: Callable[[redis.Redis], T]) -> T | None:
        """What Redis answers; None where it does not, or may not be asked."""
        if time.monotonic() < self._away_until:
            return None
        try:
            answer = question(self._connected())
        except redis.RedisError as error:
            self._away_until = time.monotonic() + AWAY_FOR_S
            if not self._is_away:  # once an outage
                log.warning("what other processes of the console know is not known: %s", error)
            self._is_away = True
            return None
        self._is_away = False
        return answer

    def _connected(self) -> redis.Redis:
        with self._lock:
            if self._client is None:
                self._client = quick_client(self._settings)
            return self._client
