"""Whether the sessions of all streams still stand: one question for all, every few seconds."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import SQLAlchemyError

from console.site import Site
from db.people.standing import standing

log = logging.getLogger(__name__)

PERIOD_S = 3.0
_NAME = "streams"


class Sessions:
    """The sessions of the streams of a console."""

    def __init__(self, site: Site, period_s: float = PERIOD_S) -> None:
        self._site, self._period_s = site, period_s
        self._watched: Counter[str] = Counter()
        self._standing: frozenset[str] = frozenset()
        self._asked_at: float | None = None

    @classmethod
    def of(cls, site: Site) -> Sessions:
        """Those of this console."""
        found = site.kept.setdefault(_NAME, cls(site))
        assert isinstance(found, Sessions)
        return found

    @asynccontextmanager
    async def watching(self, session: str | None) -> AsyncIterator[Sessions]:
        """While a stream of this session runs, which was admitted a moment ago."""
        if session is not None:
            self._watched[session] += 1
            self._standing |= {session}
        try:
            yield self
        finally:
            if session is not None:
                self._watched[session] -= 1
                self._watched += Counter()  # those that nobody watches are forgotten

    async def stands(self, session: str | None) -> bool:
        """Whether a session stood when it was asked about last; one without a session does."""
        now = time.monotonic()
        if self._asked_at is None or now - self._asked_at >= self._period_s:
            self._asked_at = now  # who comes meanwhile does not ask as well
            try:
                wanted = set(self._watched)
                found = await asyncio.to_thread(standing, self._site.engine, wanted)
                # Those that came while it was asked were admitted a moment ago.
                self._standing = found | (set(self._watched) - wanted)
            except SQLAlchemyError as error:  # away: nobody is told anything new either
                log.warning("sessions not looked up: %s", error)
        return session is None or session in self._standing
