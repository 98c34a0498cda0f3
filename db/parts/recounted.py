"""What a recount found."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple


class Difference(NamedTuple):
    """A day of a line and product on which counts are not what was found.

    Attributes:
        state: 'slices' or 'shifts' are wrong; 'skipped': pictures of then may be purged, so that
            nobody can say.
    """

    state: str
    plant_day: date
    line: str
    product: str
    counted: int
    found: int


class Settled(NamedTuple):
    """Serial numbers that were settled again.

    Attributes:
        changed: rows of parts that are not what the facts say.
        lost: serial numbers with fewer pictures than their rows say, left as they are.
        lost_days: the plant days of these.
    """

    changed: int
    lost: int
    lost_days: frozenset[date]


@dataclass(slots=True)
class Recounted:
    """What was found.

    Attributes:
        parts: rows of parts that are not what the facts say.
        lost: serial numbers with fewer pictures than their row says, left as they are.
        lost_days: the plant days of these.
        labelled: labelled pictures whose rows for reports are not what labels and verdicts say.
        hours: rows of summed-up hours of pictures that are not the sum of what was counted.
    """

    parts: int = 0
    lost: int = 0
    lost_days: set[date] = field(default_factory=set)
    counts: list[Difference] = field(default_factory=list)
    labelled: int = 0
    hours: int = 0

    def add(self, settled: Settled) -> None:
        """Take what another batch of serial numbers came to."""
        self.parts += settled.changed
        self.lost += settled.lost
        self.lost_days |= settled.lost_days

    @property
    def wrong(self) -> list[Difference]:
        """Counts that are wrong."""
        return [one for one in self.counts if one.state != "skipped"]

    @property
    def skipped(self) -> list[Difference]:
        """Counts that cannot be proven."""
        return [one for one in self.counts if one.state == "skipped"]

    @property
    def right(self) -> bool:
        """Whether nothing is wrong; what cannot be proven may be."""
        return not (self.parts or self.wrong or self.labelled or self.hours)
