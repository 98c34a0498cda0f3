"""Which parts who looks at right now, so that two inspectors are not shown the same one first.

Only a courtesy: that nobody overwrites another is what revisions are for. It is kept in memory,
since it means nothing after a minute.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from quality.audit.draw import PassName

_LASTS_S = 60.0


class Claims:
    """Parts by who looks at them; one a person."""

    def __init__(self) -> None:
        self._by: dict[str, tuple[PassName, float]] = {}
        self._lock = threading.Lock()

    def claim(self, name: PassName | None, by: str) -> None:
        """Note what a person looks at now; None: nothing."""
        with self._lock:
            self._by.pop(by, None)
            if name is not None:
                self._by[by] = (name, time.monotonic() + _LASTS_S)

    def by_others(self, me: str) -> set[PassName]:
        """What others look at."""
        now = time.monotonic()
        with self._lock:
            return {name for who, (name, until) in self._by.items() if who != me and until > now}


_claims: WeakKeyDictionary[Engine, Claims] = WeakKeyDictionary()


def claims_of(engine: Engine) -> Claims:
    """Those of the console on this database."""
    return _claims.setdefault(engine, Claims())


def with_claimed_last(parts: Iterable[PassName], claimed: set[PassName]) -> list[PassName]:
    """The parts, those that others look at behind the rest."""
    ordered = list(parts)
    return [one for one in ordered if one not in claimed] + [
        one for one in ordered if one in claimed
    ]
