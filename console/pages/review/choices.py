"""Which classes have a button and a key: all of few, of thousands those that are said most."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Engine

from console.pages.review.shown import ReviewClass
from console.site import Site
from db.clock import database_now
from db.products import Classes
from db.review.figures import found_since
from db.session import reading

MANY = 30  # classes; from more, one is chosen by its name
_BUTTONS = 12  # of so many classes, to begin with
_KEYS = "1234567890qwertasdfyxcb"  # without those that the page itself has
_SINCE = timedelta(days=30)
_NAME = "review-shelves"


class Shelf:
    """The classes that one person has at hand, each in its place: keys are learned by heart."""

    def __init__(self, classes: Sequence[str]) -> None:
        self.codes = list(classes)
        self._used: dict[str, float] = {}

    def use(self, code: str, fixed: str | None = None) -> None:
        """Note that a class was said; a new one takes the place of the one unused for longest.

        Args:
            code: the class.
            fixed: the one that keeps its place whatever happens.
        """
        if code not in self.codes:
            if len(self.codes) < len(_KEYS):
                self.codes.append(code)
            else:
                loose = [one for one in self.codes if one != fixed]
                oldest = min(loose, key=lambda one: self._used.get(one, 0.0))
                self.codes[self.codes.index(oldest)] = code
        self._used[code] = time.monotonic()


class Shelves:
    """Those of everybody, by product, for as long as the console runs."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Shelf] = {}
        self._lock = threading.Lock()

    def codes(self, engine: Engine, product: str, me: str, known: Classes) -> list[str]:
        """The classes on a person's shelf; before they used it, the good one and frequent ones."""
        there = set(known.codes)
        with self._lock:
            shelf = self._kept.get((product, me))
        if shelf is None or not there.issuperset(shelf.codes):  # the product's file is another now
            begun = Shelf(_frequent(engine, product, known))
            with self._lock:
                shelf = self._kept[product, me] = begun
        return list(shelf.codes)

    def use(self, product: str, me: str, code: str, good: str | None) -> None:
        """Note that a person said a class."""
        with self._lock:
            shelf = self._kept.get((product, me))
            if shelf is not None:
                shelf.use(code, good)


def shelves_of(site: Site) -> Shelves:
    """Those of a console."""
    found = site.kept.setdefault(_NAME, Shelves())
    assert isinstance(found, Shelves)
    return found


def choices(site: Site, product: str, me: str, known: Classes) -> list[ReviewClass]:
    """The classes with a button, each with its key.

    Args:
        site: the console.
        product: whose.
        me: who decides.
        known: all of the product's classes.
    """
    few = len(known.codes) <= MANY
    codes = known.codes if few else shelves_of(site).codes(site.engine, product, me, known)
    return [
        ReviewClass(code=code, good=code == known.good, key=_KEYS[n] if n < len(_KEYS) else "")
        for n, code in enumerate(codes)
    ]


def _frequent(engine: Engine, product: str, known: Classes) -> list[str]:
    with reading(engine) as connection:
        found = found_since(connection, product, database_now(connection) - _SINCE)
    good = [] if known.good is None else [known.good]
    there = set(known.codes)
    first = [*good, *(one for one in found if one in there), *known.codes]
    return list(dict.fromkeys(first))[:_BUTTONS]
