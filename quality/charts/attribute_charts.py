"""Control charts for the share of nonconforming parts: p, Laney's p′, and g. Pure.

A baseline is frozen once (`quality.charts.baselines`); later subgroups are held against it and
never change it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import sqrt

MOST_OPEN = 0.05  # the share of open parts up to which a subgroup's point stands
SIGMAS = 3.0


class Kind(StrEnum):
    """Which chart: shares, shares that vary more than by chance, or gaps between rare ones."""

    P = "p"
    LANEY = "laney_p"
    G = "g"


@dataclass(frozen=True, slots=True)
class Subgroup:
    """Some parts of one time: `nonconforming` of `parts` that are decided, and `open` ones.

    Raises:
        ValueError: more nonconforming parts than parts, fewer than 0, or no part at all.
    """

    parts: int
    nonconforming: int
    open: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.nonconforming <= self.parts or self.open < 0 or not self.all:
            raise ValueError(
                f"{self.nonconforming} of {self.parts} parts, {self.open} open, is no subgroup"
            )

    @property
    def all(self) -> int:
        """Its parts, decided or open."""
        return self.parts + self.open

    @property
    def provisional(self) -> bool:
        """Whether so many parts are open that its point may still move: it raises nothing."""
        return self.open > MOST_OPEN * self.all

    @property
    def rate(self) -> float:
        """The share of nonconforming parts among the decided ones.

        Raises:
            ValueError: all are open.
        """
        if not self.parts:
            raise ValueError(f"none of the subgroup's {self.open} parts is decided: it has no rate")
        return self.nonconforming / self.parts


@dataclass(frozen=True, slots=True)
class Limits:
    """The centre line and the control limits of one point."""

    lower: float
    centre: float
    upper: float

    def outside(self, value: float) -> bool:
        """Whether a point gives a signal by Shewhart's rule (rule 1)."""
        return not self.lower <= value <= self.upper


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a chart was like while in control.

    Attributes:
        rate: p̄, the share of nonconforming parts over all subgroups.
        sigma_z: how many times more the subgroups vary than parts drawn at random would; 1 for p.
        subgroups: how many it is from.
        parts: how many they have.

    Raises:
        ValueError: a rate of 0, 1 or beyond, or a σ_z of 0 or less: there are no limits.
    """

    kind: Kind
    rate: float
    sigma_z: float
    subgroups: int
    parts: int

    def __post_init__(self) -> None:
        if not (0 < self.rate < 1 and self.sigma_z > 0):
            raise ValueError(
                f"a baseline of rate {self.rate} and sigma_z {self.sigma_z} has no limits"
            )

    @property
    def mean_gap(self) -> float:
        """ḡ, the good parts expected between two nonconforming ones."""
        return (1 - self.rate) / self.rate

    @property
    def gap_sigma(self) -> float:
        """The standard deviation of these gaps, that of a geometric distribution."""
        return sqrt(self.mean_gap * (self.mean_gap + 1))

    @property
    def usual_parts(self) -> int:
        """How many parts a subgroup of the baseline has, on average."""
        return max(1, round(self.parts / self.subgroups))

    def limits(self, parts: int) -> Limits:
        """For a subgroup of so many parts; for g charts the number of parts makes no difference.

        p: p̄ ± 3·sqrt(p̄(1−p̄)/n) (Montgomery, Introduction to Statistical Quality Control, 7.2).
        p′: the same, times σ_z (D. B. Laney, Quality Engineering 14 (2002) 531-537).
        g: for the good parts between two nonconforming ones, ḡ ± 3·sqrt(ḡ(ḡ+1)) with
        ḡ = (1−p̄)/p̄ (J. C. Benneyan, Health Care Management Science 4 (2001) 305-318). The lower
        one is always 0: see `rule_choice` for what notices gaps that become shorter.

        Raises:
            ValueError: a subgroup without parts.
        """
        if self.kind is Kind.G:
            half = SIGMAS * self.gap_sigma
            return Limits(max(0.0, self.mean_gap - half), self.mean_gap, self.mean_gap + half)
        half = SIGMAS * self._sigma(parts)
        return Limits(max(0.0, self.rate - half), self.rate, min(1.0, self.rate + half))

    def z(self, subgroup: Subgroup) -> float:
        """How many of its standard deviations a subgroup lies off the centre line."""
        return (subgroup.rate - self.rate) / self._sigma(subgroup.parts)

    def gap_z(self, gap: int) -> float:
        """The same, of the good parts between two nonconforming ones."""
        return (gap - self.mean_gap) / self.gap_sigma

    def _sigma(self, parts: int) -> float:
        if parts <= 0:
            raise ValueError("a subgroup without parts has no limits")
        return self.sigma_z * sqrt(self.rate * (1 - self.rate) / parts)
