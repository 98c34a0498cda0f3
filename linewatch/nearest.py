"""The known name that a mistyped one most resembles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The most similar of `known`, whatever its capitals; None where nothing is like it."""
    by_folded = {one.casefold().strip(): one for one in known}
    found = get_close_matches(name.casefold().strip(), by_folded, n=1)
    return by_folded[found[0]] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown name: "; did you mean 'cable'?", or nothing."""
    found = nearest(name, known)
    return "" if found is None else f"; did you mean {found!r}?"


def some_of(known: Sequence[str], most: int = 30) -> str:
    """Names in a sentence: "a, b, c", of thousands the first and "and 9970 more"."""
    more = f" and {len(known) - most} more" if len(known) > most else ""
    return ", ".join(known[:most]) + more
