"""Risk and coverage: how much safer the verdicts get, the more parts go to a person.

Pure. El-Yaniv and Wiener, "On the Foundations of Noise-free Selective Classification", JMLR 2010;
the risk that matters here is the escape: a defect that was passed as good.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from model_store.verdicts.calibration import Ints
from quality.arrays import Floats

Flags = npt.NDArray[np.bool_]


class OperatingPoint(BaseModel):
    """What happens to parts if those less probable than `review_below` go to a person."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    review_below: float = Field(ge=0, le=1)
    review_share: float = Field(ge=0, le=1, description="Of all parts.")
    escape_rate: float = Field(ge=0, le=1, description="Defects that were passed, of all defects.")
    overkill_rate: float = Field(ge=0, le=1, description="Good parts called defect, of all good.")
    error_rate: float = Field(ge=0, le=1, description="Wrong class, of the parts not reviewed.")


@dataclass(frozen=True, slots=True, eq=False)
class RankedParts:
    """Parts that a model judged without having seen them, in the order of confidence.

    Attributes:
        confidence: float64 [n], falling.
        escape: bool [n], a defect whose first choice is the good class.
        overkill: bool [n], a good part whose first choice is a defect.
        wrong: bool [n], the first choice is not the class.
        good: bool [n], the part is good.
    """

    confidence: Floats
    escape: Flags
    overkill: Flags
    wrong: Flags
    good: Flags


def ranked(probabilities: Floats, actual: Ints, good: int | None) -> RankedParts:
    """Sort parts by confidence.

    Args:
        probabilities: float64 [n, k], of pictures that the model had not seen.
        actual: int64 [n].
        good: index of the class that passes; None where every class is a defect, and then a wrong
            class counts as an escape.
    """
    confidence, first = probabilities.max(axis=1), probabilities.argmax(axis=1)
    order = np.argsort(-confidence, kind="stable")
    first, actual = first[order], actual[order]
    wrong = first != actual
    none = np.zeros(len(actual), bool)
    return RankedParts(
        confidence=confidence[order],
        escape=wrong if good is None else wrong & (first == good),
        overkill=none if good is None else wrong & (actual == good),
        wrong=wrong,
        good=none if good is None else actual == good,
    )


def operating_point(parts: RankedParts, review_below: float) -> OperatingPoint:
    """What the threshold does to these parts; a part exactly at it is judged."""
    count = len(parts.confidence)
    kept = int((parts.confidence >= review_below).sum())
    bad = int((~parts.good).sum())
    return OperatingPoint(
        review_below=review_below,
        review_share=1 - kept / count,
        escape_rate=_share(parts.escape[:kept], bad),
        overkill_rate=_share(parts.overkill[:kept], count - bad),
        error_rate=_share(parts.wrong[:kept], kept),
    )


def risk_coverage(parts: RankedParts, points: int = 21) -> list[OperatingPoint]:
    """The curve at evenly spaced shares of review, from none to all but the surest part."""
    last = len(parts.confidence) - 1
    places = sorted({round(share * last) for share in np.linspace(1, 0, points)}, reverse=True)
    return [operating_point(parts, float(parts.confidence[place])) for place in places]


def review_below_for_escapes(parts: RankedParts, highest: float) -> float:
    """The least threshold under which at most a share `highest` of the defects is passed.

    It is 1 where none suffices: no threshold sends a part of probability 1 to a person.
    """
    bad = int((~parts.good).sum())
    allowed = int(highest * bad + 1e-9)
    over = np.flatnonzero(np.cumsum(parts.escape) > allowed)
    return 0.0 if not over.size else _just_above(parts.confidence[over[0]])


def review_below_for_share(parts: RankedParts, most: float) -> float:
    """The highest threshold under which at most a share `most` of the parts goes to a person."""
    count = len(parts.confidence)
    reviewed = int(most * count + 1e-9)
    return 0.0 if not reviewed else float(parts.confidence[max(0, count - reviewed - 1)])


def _just_above(confidence: float) -> float:
    return float(min(1.0, np.nextafter(confidence, 2.0)))


def _share(flags: Flags, of: int) -> float:
    return float(flags.sum() / of) if of else 0.0
