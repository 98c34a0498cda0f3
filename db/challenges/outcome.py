"""What a line made of the parts of a challenge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from db.parts.facts import challenge_pictures, rules_of
from quality.parts.disposition import Disposition, Outcome
from quality.parts.parts import part_passes

NOT_SEEN, LEFT_OPEN = "{part} was not seen", "{part} was left open ({reason})"
PASSED, CALLED = "{part} was passed", "{part} was called {classes}"


class KnownPart(NamedTuple):
    """A part of which it is known what it is.

    Attributes:
        known_class: '' where it is only known that it is nonconforming.
        good: it is conforming.
    """

    product: str
    serial: str
    known_class: str = ""
    good: bool = False

    @property
    def words(self) -> str:
        """For people: "P-3 (bent)"."""
        return f"{self.serial} ({self.known_class})" if self.known_class else self.serial


@dataclass(frozen=True, slots=True)
class Found:
    """What came of a part; `outcome` None: none of its pictures came."""

    part: KnownPart
    pictures: int
    outcome: Outcome | None

    @property
    def right(self) -> bool:
        """Whether the line told it: a bad part must not pass, and not be left to people either."""
        wanted = Disposition.CONFORMING if self.part.good else Disposition.NONCONFORMING
        return self.outcome is not None and self.outcome.disposition == wanted

    @property
    def words(self) -> str:
        """For people, of what was not told right."""
        said, part = self.outcome, self.part.words
        if said is None:
            return NOT_SEEN.format(part=part)
        if said.disposition == Disposition.OPEN:
            return LEFT_OPEN.format(part=part, reason=said.why)
        if said.disposition == Disposition.CONFORMING:
            return PASSED.format(part=part)
        return CALLED.format(part=part, classes=" + ".join(said.classes))


def found_by(
    connection: Connection,
    line: str,
    parts: Sequence[KnownPart],
    since: datetime,
    until: datetime,
) -> list[Found]:
    """What the model said of each part, by its pictures of the challenge alone.

    A part that went through several times must be told right each time: the first pass in which it
    was not counts. People have no word in it.
    """
    serials = [(one.product, one.serial) for one in parts]
    rules = rules_of(connection, {product for product, _ in serials})
    pictures = challenge_pictures(connection, line, serials, rules, since, until)
    found = []
    for part in parts:
        mine = pictures.get((part.product, part.serial), [])
        passes = part_passes(mine, gap_s=rules[part.product].gap_s).values()
        outcomes: list[Outcome | None] = [
            one.model for one in sorted(passes, key=lambda one: one.made_at)
        ]
        found.append(_worst(Found(part, len(mine), outcome) for outcome in outcomes or [None]))
    return found


def _worst(passes: Iterable[Found]) -> Found:
    every = list(passes)
    return next((one for one in every if not one.right), every[0])
