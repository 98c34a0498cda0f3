"""Which classes have a button and a key: all of few, of thousands those that are said most."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from sqlalchemy import Engine

from console.pages.review.shelves import KEYS, shelves_of
from console.pages.review.shown import ReviewClass
from console.site import Site
from db.clock import database_now
from db.products import Classes
from db.review.figures import found_since
from db.session import reading

MANY = 30  # classes; from more, one is chosen by its name
_BUTTONS = 12  # of so many classes, to begin with
_SINCE = timedelta(days=30)


def choices(site: Site, product: str, me: str, known: Classes) -> list[ReviewClass]:
    """The classes with a button, each with its key.

    Args:
        site: the console.
        product: whose.
        me: who decides.
        known: all of the product's classes.
    """
    few = len(known.codes) <= MANY
    codes = known.codes if few else _at_hand(site, product, me, known)
    return [
        ReviewClass(code=code, good=code == known.good, key=KEYS[n] if n < len(KEYS) else "")
        for n, code in enumerate(codes)
    ]


def _at_hand(site: Site, product: str, me: str, known: Classes) -> list[str]:
    """Before somebody used them: the good one, and frequent ones."""
    begin = partial(_frequent, site.engine, product, known)
    return shelves_of(site).codes(product, me, known.codes, begin)


def _frequent(engine: Engine, product: str, known: Classes) -> list[str]:
    with reading(engine) as connection:
        found = found_since(connection, product, database_now(connection) - _SINCE)
    good = [] if known.good is None else [known.good]
    there = set(known.codes)
    first = [*good, *(one for one in found if one in there), *known.codes]
    return list(dict.fromkeys(first))[:_BUTTONS]
