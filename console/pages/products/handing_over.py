"""Who hands which file over to a product: of two who pick the same one, only the first does.

A claim stays a while after the hand-over: for who looked what is there before it, and for consoles
on other machines, which do not see this one's spool. All processes know of claims through Redis;
while that is away, each knows of its own visitors.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import redis

from console.redis_link import RedisLink
from console.site import Site

_CLAIMED_S = 60  # far more than to store one picture takes; a process that dies holds it so long
_HANDED_OVER_S = 3600
_NAME = "handing_over"
_KEY = "linewatch:console:handing-over:{product}:{sha256}"  # who
Claimed = dict[str, tuple[str, float]]  # by key: who, and until when (seconds of a steady clock)


class HandingOver:
    """Claims on files; each is one person's.

    Args:
        link: to Redis.
    """

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._here: Claimed = {}
        self._lock = threading.Lock()

    def claim(self, product: str, sha256: str, by: str) -> str | None:
        """Claim a file in one step; None: it is theirs now, else who has it."""
        key = _KEY.format(product=product, sha256=sha256)
        if holder := self._claim_here(key, by):
            return holder
        if holder := self._link.ask(lambda client: _claim(client, key, by)):
            self._forget(key)
        return holder or None

    @contextmanager
    def held(self, product: str, sha256: str, by: str) -> Iterator[None]:
        """Hand a claimed file over within: the claim is kept then, and given up if that fails."""
        key = _KEY.format(product=product, sha256=sha256)
        try:
            yield
        except BaseException:
            self._forget(key)
            self._link.ask(lambda client: client.delete(key))
            raise
        with self._lock:
            self._here[key] = (by, time.monotonic() + _HANDED_OVER_S)
        self._link.ask(lambda client: client.set(key, by, ex=_HANDED_OVER_S))

    def _claim_here(self, key: str, by: str) -> str | None:
        now = time.monotonic()
        with self._lock:
            self._here = {one: told for one, told in self._here.items() if told[1] > now}
            if key in self._here:
                return self._here[key][0]
            self._here[key] = (by, now + _CLAIMED_S)
            return None

    def _forget(self, key: str) -> None:
        with self._lock:
            self._here.pop(key, None)


def _claim(client: redis.Redis, key: str, by: str) -> str:
    """Who else has the file; '': nobody."""
    with client.pipeline(transaction=False) as pipe:
        pipe.set(key, by, nx=True, ex=_CLAIMED_S)
        pipe.get(key)
        mine, holder = pipe.execute()
    return "" if mine else (holder or b"?").decode()


def handing_over_of(site: Site) -> HandingOver:
    """That of a console."""
    found = site.kept.setdefault(_NAME, HandingOver(site.link))
    assert isinstance(found, HandingOver)
    return found
