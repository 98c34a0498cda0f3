"""The true rate of nonconforming parts behind a model that errs: Rogan and Gladen. Pure.

For a line without an audit sample. Sensitivity and specificity come from labelled parts, which are
no random sample of what the line makes: whoever shows this figure says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from quality.intervals.wilson import Z_95

LEAST_YOUDEN = 0.1  # below it a difference by chance is read as more than ten times itself
_MOST_UNSURE = 0.25  # of Youden's J, squared: see `estimate`


class NotEstimableError(ValueError):
    """The model tells good parts from bad ones too badly, or too few labels say how well."""


@dataclass(frozen=True, slots=True)
class Proportion:
    """`hits` of `trials`."""

    hits: int
    trials: int

    def __post_init__(self) -> None:
        if not 0 <= self.hits <= self.trials or self.trials == 0:
            raise ValueError(f"{self.hits} of {self.trials} is no proportion")

    @property
    def share(self) -> float:
        """hits / trials."""
        return self.hits / self.trials


@dataclass(frozen=True, slots=True)
class Prevalence:
    """The share of nonconforming parts, with its interval.

    Attributes:
        rate: Rogan and Gladen's estimate, moved to 0 or 1 where it lies beyond.
    """

    rate: float
    low: float
    high: float


def estimate(
    called: Proportion, sensitivity: Proportion, specificity: Proportion, z: float = Z_95
) -> Prevalence:
    """The true rate of nonconforming parts, of those that the model decided.

    rate = (p + Sp − 1) / (Se + Sp − 1)   (W. J. Rogan and B. Gladen, American Journal of
    Epidemiology 107 (1978) 71-76), with the interval of Z. Lang and J. Reiczigel, Preventive
    Veterinary Medicine 113 (2014) 13-22, equations 6, 7, 16 and 17, clipped to 0 … 1. It allows for
    the chance in all three proportions.

    It is refused where Youden's J = Se + Sp − 1, by which all is divided, is

    - below `LEAST_YOUDEN`: the model hardly tells good parts from bad ones, and every difference by
      chance is read as more than ten times itself;
    - not known well enough: z²·var(J)/J² above 0.25, a J that is less than two intervals away from
      0. At 1 the confidence set of the quotient has no bounds at all (E. C. Fieller, JRSS B 16
      (1954) 175-185); the normal approximation of a quotient needs it to be small.

    Args:
        called: parts that the model called nonconforming, of all that it decided. Parts that people
            decided are in neither.
        sensitivity: part by part: those it called nonconforming, of those labelled nonconforming.
        specificity: those it called conforming, of those labelled conforming.
        z: of the interval, 1.96 for 95 %.

    Raises:
        NotEstimableError: as above.
    """
    n, n_se, n_sp = called.trials + z * z, sensitivity.trials + 2, specificity.trials + 2
    p = (called.hits + z * z / 2) / n
    se, sp = (sensitivity.hits + 1) / n_se, (specificity.hits + 1) / n_sp
    var_se, var_sp = se * (1 - se) / n_se, sp * (1 - sp) / n_sp
    youden, plain_youden = se + sp - 1, sensitivity.share + specificity.share - 1
    _refuse(min(youden, plain_youden), z * z * (var_se + var_sp), sensitivity, specificity)
    rate = (p + sp - 1) / youden
    shift = 2 * z * z * (rate * var_se - (1 - rate) * var_sp)
    variance = p * (1 - p) / n + rate**2 * var_se + (1 - rate) ** 2 * var_sp
    half = z * sqrt(variance) / youden
    plain = (called.share + specificity.share - 1) / plain_youden
    low, high = _clipped(rate + shift - half), _clipped(rate + shift + half)
    return Prevalence(_clipped(plain), low, high)


def _refuse(youden: float, unsure: float, sensitivity: Proportion, specificity: Proportion) -> None:
    known = (
        f"sensitivity {sensitivity.hits} of {sensitivity.trials} and specificity "
        f"{specificity.hits} of {specificity.trials}"
    )
    if youden < LEAST_YOUDEN:
        raise NotEstimableError(
            f"with {known} the model hardly tells bad parts from good ones (Se + Sp - 1 is "
            f"{youden:.2f}, below {LEAST_YOUDEN}): its verdicts say nothing of the true rate; "
            "audit a random share of the parts"
        )
    if unsure > _MOST_UNSURE * youden**2:
        raise NotEstimableError(
            f"with {known} it is not known well enough how the model errs (Se + Sp - 1 is "
            f"{youden:.2f} ± {sqrt(unsure):.2f}): label more parts, or audit a random share"
        )


def _clipped(rate: float) -> float:
    return min(1.0, max(0.0, rate))
