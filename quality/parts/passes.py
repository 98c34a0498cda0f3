"""Passes of a part through the line: an inspection, and re-inspections after rework. Pure.

Which pass a picture belongs to is a function of the *set* of the part's pictures, so that it does
not matter in which order workers commit them: a late picture may join two passes into one.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple


class Taken(NamedTuple):
    """When a picture of a part was taken; `pass_number` where its message says the pass."""

    key: Hashable
    taken_at: datetime
    pass_number: int | None = None


def passes(pictures: Iterable[Taken], gap_s: float) -> dict[Hashable, int]:
    """The pass of each picture, from 1.

    A picture whose message numbers the pass is of that pass. The others follow those about them:
    where no more than `gap_s` lies between a picture and the one before it they were taken
    together, and of those the last that is numbered, or else the next, says the pass. Pictures
    taken together of which none is numbered are a pass of their own, after all that are.

    Args:
        pictures: all of one part, in any order; of one moment in the order of their keys.
        gap_s: seconds without a picture that end a pass; positive.

    Raises:
        ValueError: `gap_s` is not positive.
    """
    if not gap_s > 0:
        raise ValueError(f"a gap of {gap_s} s between passes: it must be positive")
    ordered = sorted(pictures, key=lambda one: (one.taken_at, one.key))
    last = max((one.pass_number for one in ordered if one.pass_number), default=0)
    found: dict[Hashable, int] = {}
    for together in _islands(ordered, gap_s):
        numbers = [one.pass_number for one in together if one.pass_number]
        if not numbers:
            last += 1
        said = numbers[0] if numbers else last
        for picture in together:
            said = picture.pass_number or said
            found[picture.key] = said
    return found


def _islands(ordered: Sequence[Taken], gap_s: float) -> list[list[Taken]]:
    """Cut where more than `gap_s` lies between a picture and the one before it."""
    found: list[list[Taken]] = []
    for picture in ordered:
        if found and (picture.taken_at - found[-1][-1].taken_at).total_seconds() <= gap_s:
            found[-1].append(picture)
        else:
            found.append([picture])
    return found
