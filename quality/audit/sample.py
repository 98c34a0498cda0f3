"""An audit sample: what was drawn of the parts a model decided, and what people found. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class NoAuditError(ValueError):
    """There is nothing to estimate from."""


class Said(StrEnum):
    """What the model said of a part."""

    CONFORMING = "conforming"
    NONCONFORMING = "nonconforming"


class Method(StrEnum):
    """How an interval is found.

    Attributes:
        AUTO: `EXACT` where few parts of either kind were found, else `SCORE`.
        EXACT: exact bounds of each stratum, joined.
        SCORE: the score test of all strata together, turned around.
        HORVITZ_THOMPSON: inverse-propensity sum with a normal interval.
        PREDICTION_POWERED: the model's rate, corrected by the audit, with a normal interval.
    """

    AUTO = "auto"
    EXACT = "exact"
    SCORE = "score"
    HORVITZ_THOMPSON = "horvitz-thompson"
    PREDICTION_POWERED = "prediction-powered"


@dataclass(frozen=True, slots=True)
class Stratum:
    """The parts of which the model said one thing, and of which one share was drawn.

    Attributes:
        parts: all of them, drawn or not.
        share: the chance of each to be drawn, each on its own.
        drawn: how many were.
        answered: how many of these people have decided.
        nonconforming: how many of these are nonconforming.

    Raises:
        ValueError: the numbers do not fit each other, or the share is not above 0 and at most 1.
    """

    said: Said
    parts: int
    share: float
    drawn: int
    answered: int
    nonconforming: int

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ValueError(
                f"an audit share of {self.share}: it must be above 0, else no part is ever drawn, "
                "and at most 1"
            )
        if not 0 <= self.nonconforming <= self.answered <= self.drawn <= self.parts:
            raise ValueError(
                f"{self.nonconforming} nonconforming of {self.answered} answered of {self.drawn} "
                f"drawn of {self.parts} parts: each must be at most the next"
            )

    @property
    def propensity(self) -> float:
        """The chance of a part to be drawn and answered."""
        return self.share * self.answered / self.drawn if self.drawn else 0.0

    @property
    def predicted(self) -> float:
        """What the model says of each part: 1 for nonconforming."""
        return float(self.said is Said.NONCONFORMING)

    @property
    def rate(self) -> float:
        """Nonconforming of the answered parts; the model's word where there are none."""
        return self.nonconforming / self.answered if self.answered else self.predicted


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number of parts, and its 95 % interval.

    Attributes:
        of: how many parts it is a number of.
        method: by which the interval was found.
    """

    count: float
    low: float
    high: float
    of: int
    method: Method

    @property
    def rate(self) -> float:
        """count / of."""
        return self.count / self.of

    @property
    def rate_low(self) -> float:
        """low / of."""
        return self.low / self.of

    @property
    def rate_high(self) -> float:
        """high / of."""
        return self.high / self.of


def parts_of(strata: Iterable[Stratum]) -> int:
    """How many parts they have together."""
    return sum(one.parts for one in strata)


def refuse_empty(strata: Sequence[Stratum]) -> None:
    """An audit must have parts and answers.

    Raises:
        NoAuditError: it has not.
    """
    if not parts_of(strata):
        raise NoAuditError("the model decided no part in this range: an audit has nothing to say")
    if not any(one.answered for one in strata):
        drawn = sum(one.drawn for one in strata)
        raise NoAuditError(
            f"none of the {drawn} parts drawn for the audit is answered yet: answer some, or see "
            "the rate by disposition"
        )
