"""What is costly to find and serves for a while, by database."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

T = TypeVar("T")


@dataclass(slots=True)
class _Kept(Generic[T]):
    """A value, since when it serves, and the lock of whoever finds it."""

    found: tuple[float, T] | None = None
    finding: threading.Lock = field(default_factory=threading.Lock)


class Recent(Generic[T]):
    """Values by name, each found anew once it is so many seconds old, by one who asks.

    Others who ask meanwhile get the old value; where there is none, or they want none, they wait
    for the one who finds it, and do not find it as well.
    """

    def __init__(self, lasts_s: float) -> None:
        self._lasts_s = lasts_s
        self._kept: WeakKeyDictionary[Engine, dict[Hashable, _Kept[T]]] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def get(
        self, engine: Engine, name: Hashable, find: Callable[[], T], *, anew: bool = False
    ) -> T:
        """The value; `find` gives it where there is none, or it is too old.

        Args:
            anew: it must not have been there when it was asked for.
        """
        asked_at = time.monotonic()
        with self._lock:
            kept = self._kept.setdefault(engine, {}).setdefault(name, _Kept())
        old = None if anew else kept.found
        if old is not None and asked_at - old[0] < self._lasts_s:
            return old[1]
        if not kept.finding.acquire(blocking=old is None):
            assert old is not None
            return old[1]
        try:
            if kept.found is None or kept.found[0] < asked_at:
                value = find()
                kept.found = time.monotonic(), value
            return kept.found[1]
        finally:
            kept.finding.release()
