"""How often a password may be wrong: by name, and by address, before a while of waiting."""

from __future__ import annotations

import hashlib
import time
from functools import partial
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


class Attempts:
    """Counts what failed: ten of a name, fifty of an address, in five minutes.

    Counted for all processes of the console together in Redis, and in each of them, which is what
    holds while Redis is away. What succeeds counts nothing, so a whole shift may sign in at once.

    Args:
        link: to Redis.
    """

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._here = MovingWindowRateLimiter(MemoryStorage())

    def check(self, request: Request, name: str) -> None:
        """See that another try is allowed.

        Raises:
            TooOften: it is not.
        """
        for limit, kind, who in _counted(request, name):
            if not self._here.test(limit, kind, who) or self._everywhere(limit, kind, who):
                raise TooOften

    def failed(self, request: Request, name: str) -> None:
        """Count a try that was wrong."""
        for limit, kind, who in _counted(request, name):
            self._here.hit(limit, kind, who)
            self._link.ask(partial(_add, key=_key(kind, who), lasts_s=limit.get_expiry()))

    def _everywhere(self, limit: RateLimitItemPerMinute, kind: str, who: str) -> bool:
        """Whether all processes together have seen too many."""
        since = time.time() - limit.get_expiry()
        found = self._link.ask(lambda client: client.zcount(_key(kind, who), since, "+inf"))
        return found is not None and int(str(found)) >= limit.amount


def _add(client: redis.Redis, key: str, lasts_s: int) -> None:
    now = time.time()
    with client.pipeline(transaction=False) as pipe:
        pipe.zremrangebyscore(key, "-inf", now - lasts_s)
        pipe.zadd(key, {uuid4().hex: now})
        pipe.expire(key, lasts_s)
        pipe.execute()


def _counted(request: Request, name: str) -> tuple[tuple[RateLimitItemPerMinute, str, str], ...]:
    return (_BY_NAME, "name", name), (_BY_ADDRESS, "address", _address(request))


def _key(kind: str, who: str) -> str:
    """A name may be as long as it likes, and is nobody's to read."""
    return f"{_KEY}:{kind}:{hashlib.sha256(who.encode()).hexdigest()[:32]}"


def attempts_of(request: Request) -> Attempts:
    """Those of the console that a request came to."""
    attempts: Attempts = request.app.state.attempts
    return attempts


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
