"""The classes that each person has at hand, where a product has too many for buttons and keys.

Keys are learned by heart, so a class keeps its place from page to page, whichever process of the
console serves it: they keep the shelves in Redis. While that is away each knows what it saw last.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import redis

from console.redis_link import RedisLink
from console.site import Site

KEYS = "1234567890qwertasdfyxcb"  # without those that the page itself has
_NAME = "review-shelves"
_KEY = "linewatch:console:shelf:{}:{}"  # a hash: class → its place, and when it was said last
_LASTS_S = 90 * 86_400


class Shelf:
    """The classes that one person has at hand, each in its place."""

    def __init__(self, classes: Sequence[str], used: Mapping[str, float] | None = None) -> None:
        self.codes = list(classes)
        self._used = dict(used or {})  # when each was said last, in s since 1970

    def use(self, code: str, fixed: str | None = None) -> None:
        """Note that a class was said; a new one takes the place of the one unused for longest.

        Args:
            code: the class.
            fixed: the one that keeps its place whatever happens.
        """
        if code not in self.codes:
            if len(self.codes) < len(KEYS):
                self.codes.append(code)
            else:
                loose = [one for one in self.codes if one != fixed]
                oldest = min(loose, key=lambda one: self._used.get(one, 0.0))
                self.codes[self.codes.index(oldest)] = code
                self._used.pop(oldest, None)
        self._used[code] = time.time()

    def as_hash(self) -> dict[Any, Any]:
        """As Redis keeps it."""
        return {
            code: json.dumps([place, self._used.get(code, 0.0)])
            for place, code in enumerate(self.codes)
        }

    @classmethod
    def of_hash(cls, kept: dict[bytes, bytes]) -> Shelf:
        """From what Redis keeps; the reverse of `as_hash`."""
        found = sorted((*json.loads(word), code.decode()) for code, word in kept.items())
        return cls([code for _, _, code in found], {code: used for _, used, code in found if used})


class Shelves:
    """Those of everybody, by product.

    Args:
        link: to Redis.
    """

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._here: dict[str, Shelf] = {}
        self._lock = threading.Lock()

    def codes(
        self, product: str, me: str, known: Collection[str], begin: Callable[[], Sequence[str]]
    ) -> list[str]:
        """The classes on a person's shelf.

        Args:
            product: whose classes.
            me: the person.
            known: all classes of the product; a shelf with others is of another file of it.
            begin: gives the classes of a new shelf.
        """
        key = _KEY.format(product, me)
        shelf = self._find(key)
        if shelf is None or not set(known).issuperset(shelf.codes):
            shelf = Shelf(begin())
            self._keep(key, shelf)
        return list(shelf.codes)

    def use(self, product: str, me: str, code: str, good: str | None) -> None:
        """Note that a person said a class."""
        key = _KEY.format(product, me)
        shelf = self._find(key)
        if shelf is not None:
            shelf.use(code, good)
            self._keep(key, shelf)

    def _find(self, key: str) -> Shelf | None:
        kept = self._link.ask(lambda client: client.hgetall(key))
        if kept:
            return Shelf.of_hash(kept)  # type: ignore[arg-type]
        with self._lock:
            return self._here.get(key)

    def _keep(self, key: str, shelf: Shelf) -> None:
        with self._lock:
            self._here[key] = shelf
        self._link.ask(lambda client: _tell(client, key, shelf.as_hash()))


def _tell(client: redis.Redis, key: str, words: dict[Any, Any]) -> None:
    gone = [code for code in client.hgetall(key) if code.decode() not in words]  # type: ignore[union-attr]
    with client.pipeline(transaction=False) as pipe:
        if gone:
            pipe.hdel(key, *gone)
        pipe.hset(key, mapping=words)
        pipe.expire(key, _LASTS_S)
        pipe.execute()


def shelves_of(site: Site) -> Shelves:
    """Those of a console."""
    found = site.kept.setdefault(_NAME, Shelves(site.link))
    assert isinstance(found, Shelves)
    return found
