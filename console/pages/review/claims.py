"""Which parts who looks at right now, so that two inspectors are not shown the same one first.

Only a courtesy: that nobody overwrites another is what revisions are for. All processes of the
console know it through Redis; while that is away, each knows of its own visitors.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable

import redis

from console.redis_link import RedisLink
from console.site import Site
from quality.audit.draw import PassName

_LASTS_S = 60.0
_NAME = "claims"
_KEY = "linewatch:console:claims"  # who looks: what at, and until when (seconds since 1970)
Claimed = dict[str, tuple[PassName, float]]


class Claims:
    """Parts by who looks at them; one a person.

    Args:
        link: to Redis.
    """

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._here: Claimed = {}
        self._lock = threading.Lock()

    def claim(self, name: PassName | None, by: str) -> None:
        """Note what a person looks at now; None: nothing."""
        until = time.time() + _LASTS_S
        with self._lock:
            self._here.pop(by, None)
            if name is not None:
                self._here[by] = (name, until)
        self._link.ask(lambda client: _tell(client, name, by, until))

    def by_others(self, me: str) -> set[PassName]:
        """What others look at."""
        now, known = time.time(), self._link.ask(_told)
        if known is None:
            with self._lock:
                known = dict(self._here)
        return {name for who, (name, until) in known.items() if who != me and until > now}


def _tell(client: redis.Redis, name: PassName | None, by: str, until: float) -> None:
    with client.pipeline(transaction=False) as pipe:
        if name is None:
            pipe.hdel(_KEY, by)
        else:
            pipe.hset(_KEY, by, json.dumps([*name, until]))
        pipe.expire(_KEY, round(_LASTS_S))
        pipe.execute()


def _told(client: redis.Redis) -> Claimed:
    found: Claimed = {}
    kept: dict[bytes, bytes] = client.hgetall(_KEY)  # type: ignore[assignment]
    for who, said in kept.items():
        product, serial, scope, pass_number, until = json.loads(said)
        found[who.decode()] = PassName(product, serial, scope, pass_number), until
    return found


def claims_of(site: Site) -> Claims:
    """Those of a console."""
    found = site.kept.setdefault(_NAME, Claims(site.link))
    assert isinstance(found, Claims)
    return found


def with_claimed_last(parts: Iterable[PassName], claimed: set[PassName]) -> list[PassName]:
    """The parts, those that others look at behind the rest."""
    ordered = list(parts)
    return [one for one in ordered if one not in claimed] + [
        one for one in ordered if one in claimed
    ]
