"""How often a password may be wrong: by name, and by address, before a while of waiting."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Lock
from uuid import uuid4

import redis
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.requests import Request

from console.redis_link import RedisLink
from console.refusals import TooOften

_BY_NAME = RateLimitItemPerMinute(10, 5)
_BY_ADDRESS = RateLimitItemPerMinute(50, 5)  # a plant may stand behind one
_KEY = "linewatch:console:failed"
_LONG_AGO = 0.0


@dataclass(slots=True)
class Try:
    """One password; `right` is None until it was compared."""

    right: bool | None = None


@dataclass(frozen=True, slots=True)
class _Count:
    """What a try counts in."""

    limit: RateLimitItemPerMinute
    kind: str
    who: str

    @property
    def key(self) -> str:
        """A name may be as long as it likes, and is nobody's to read."""
        return f"{_KEY}:{self.kind}:{hashlib.sha256(self.who.encode()).hexdigest()[:32]}"


class Attempts:
    """Counts what failed: ten of a name, fifty of an address, in five minutes.

    A try counts from before the password is compared, so that who asks often at one moment gets no
    more tries; what turns out to be right counts no more, so a whole shift may sign in at once.

    Counted for all processes of the console together in Redis, and in each of them, which is what
    holds while Redis is away.

    Args:
        link: to Redis.
    """

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._here = MovingWindowRateLimiter(MemoryStorage())
        self._lock = Lock()
        self._under_way: Counter[_Count] = Counter()

    @contextmanager
    def trying(self, request: Request, name: str) -> Iterator[Try]:
        """Count a try, which says within whether it was `right`.

        Raises:
            TooOften: no other is allowed now.
        """
        counts = (
            _Count(_BY_NAME, "name", name),
            _Count(_BY_ADDRESS, "address", request.client.host if request.client else ""),
        )
        one, mark = Try(), uuid4().hex
        self._begin_here(counts)
        try:
            found = self._link.ask(partial(_add, counts=counts, mark=mark))
            if found is not None and any(
                tries > count.limit.amount for tries, count in zip(found, counts, strict=True)
            ):
                raise TooOften
            yield one
        finally:
            wrong = one.right is False
            if not wrong:
                self._link.ask(partial(_take_back, counts=counts, mark=mark))
            self._end_here(counts, wrong=wrong)

    def _begin_here(self, counts: Sequence[_Count]) -> None:
        with self._lock:
            for count in counts:
                left = self._here.get_window_stats(count.limit, count.kind, count.who).remaining
                if left <= self._under_way[count]:
                    raise TooOften
            self._under_way.update(counts)

    def _end_here(self, counts: Sequence[_Count], *, wrong: bool) -> None:
        with self._lock:
            for count in counts:
                self._under_way[count] -= 1
                if wrong:
                    self._here.hit(count.limit, count.kind, count.who)
            self._under_way = +self._under_way


def _add(client: redis.Redis, counts: Sequence[_Count], mark: str) -> list[int]:
    """Add a try to each count; returns how many each has then, this one among them."""
    now = time.time()
    with client.pipeline(transaction=True) as pipe:
        for count in counts:
            lasts_s = count.limit.get_expiry()
            pipe.zremrangebyscore(count.key, "-inf", now - lasts_s)
            pipe.zadd(count.key, {mark: now})
            pipe.expire(count.key, lasts_s)
            pipe.zcount(count.key, now - lasts_s, "+inf")
        return [int(answer) for answer in pipe.execute()[3::4]]


def _take_back(client: redis.Redis, counts: Sequence[_Count], mark: str) -> None:
    """By its time, which the console's Redis user may set."""
    with client.pipeline(transaction=True) as pipe:
        for count in counts:
            pipe.zadd(count.key, {mark: _LONG_AGO}, xx=True)
        pipe.execute()


def attempts_of(request: Request) -> Attempts:
    """Those of the console that a request came to."""
    attempts: Attempts = request.app.state.attempts
    return attempts
