"""What is costly to find and serves for a while, by database."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

T = TypeVar("T")


class Recent(Generic[T]):
    """Values by name, each found anew once it is so many seconds old."""

    def __init__(self, lasts_s: float) -> None:
        self._lasts_s = lasts_s
        self._kept: WeakKeyDictionary[Engine, dict[Hashable, tuple[float, T]]] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def get(
        self, engine: Engine, name: Hashable, find: Callable[[], T], *, anew: bool = False
    ) -> T:
        """The value; `find` gives it where there is none, or it is too old, or it must be new."""
        now = time.monotonic()
        with self._lock:
            until, value = self._kept.get(engine, {}).get(name, (0.0, None))
        if value is not None and until > now and not anew:
            return value
        found = find()
        with self._lock:
            self._kept.setdefault(engine, {})[name] = (now + self._lasts_s, found)
        return found
