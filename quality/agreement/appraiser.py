"""One appraiser of an attribute agreement study: a person, or the model. Pure.

Terms and guidelines are those of AIAG, Measurement Systems Analysis, 4th ed. (2010), chapter III,
section C.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from quality.agreement.kappa import Kappa, cohens_kappa, fleiss_kappa
from quality.intervals.exact import clopper_pearson

Trial = Mapping[str, str]  # what was said of each part


class Acceptance(StrEnum):
    """AIAG's guideline for an appraiser."""

    ACCEPTABLE = "acceptable"
    MARGINAL = "marginal"
    UNACCEPTABLE = "unacceptable"


_GUIDELINES = (  # effectiveness at least, miss rate and false-alarm rate at most
    (Acceptance.ACCEPTABLE, 0.90, 0.02, 0.05),
    (Acceptance.MARGINAL, 0.80, 0.05, 0.10),
)


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `trials`, with a 95 % interval."""

    hits: int
    trials: int
    low: float
    high: float

    @property
    def rate(self) -> float:
        """hits / trials."""
        return self.hits / self.trials


@dataclass(frozen=True, slots=True)
class Appraiser:
    """One appraiser against the reference, and against themselves.

    Attributes:
        effectiveness: decisions that were right, of all.
        miss_rate: nonconforming parts called conforming, of all decisions on nonconforming parts;
            None where the study has none.
        false_alarm_rate: conforming parts called nonconforming, likewise.
        always_right: parts that were told right in every trial.
        repeatability: parts of which the same was said in every trial; None of one trial.
        against_reference: Cohen's kappa; None where all is of one category.
        within: Fleiss' kappa of the trials; None likewise, or of one trial.
    """

    name: str
    effectiveness: Share
    miss_rate: Share | None
    false_alarm_rate: Share | None
    always_right: Share
    repeatability: Share | None
    against_reference: Kappa | None
    within: Kappa | None

    @property
    def acceptance(self) -> Acceptance:
        """The first guideline that all of the rates meet; rates that there are none of do."""
        miss = self.miss_rate.rate if self.miss_rate else 0.0
        false_alarm = self.false_alarm_rate.rate if self.false_alarm_rate else 0.0
        for acceptance, least, most_missed, most_false in _GUIDELINES:
            right = self.effectiveness.rate >= least
            if right and miss <= most_missed and false_alarm <= most_false:
                return acceptance
        return Acceptance.UNACCEPTABLE


def appraise(name: str, trials: Sequence[Trial], reference: Trial, conforming: str) -> Appraiser:
    """What an appraiser said in each trial, held against the reference."""
    good = {part for part, is_a in reference.items() if is_a == conforming}
    right = {
        part: sum((trial[part] == conforming) == (part in good) for trial in trials)
        for part in reference
    }
    each = len(trials)
    same = [len({trial[part] for trial in trials}) == 1 for part in reference]
    return Appraiser(
        name=name,
        effectiveness=_of_decisions(list(right.values()), each),
        miss_rate=_wrong([right[part] for part in reference if part not in good], each),
        false_alarm_rate=_wrong([right[part] for part in reference if part in good], each),
        always_right=share_of_parts(count == each for count in right.values()),
        repeatability=share_of_parts(same) if each > 1 else None,
        against_reference=cohens_kappa(
            [[(trial[part], reference[part]) for trial in trials] for part in reference]
        ),
        within=kappa_of_trials(trials, reference),
    )


def kappa_of_trials(said: Sequence[Trial], reference: Trial) -> Kappa | None:
    """Fleiss' kappa of several trials, of one appraiser or of many; None of a single one."""
    if len(said) < 2:
        return None
    return fleiss_kappa([Counter(trial[part] for trial in said) for part in reference])


def _wrong(right: Sequence[int], each: int) -> Share | None:
    return _of_decisions([each - count for count in right], each) if right else None


def share_of_parts(hits: Iterable[bool]) -> Share:
    """With the exact interval of as many parts."""
    found = list(hits)
    return Share(sum(found), len(found), *clopper_pearson(sum(found), len(found)))


def _of_decisions(hits: Sequence[int], each: int) -> Share:
    """`hits` of `each` decisions on every part.

    Decisions on one part resemble each other, so the interval is the exact one of the number of
    independent decisions that would tell as much (Korn and Graubard 1998): at least one a part, at
    most all.
    """
    parts, total = len(hits), sum(hits)
    rate = total / (parts * each)
    effective = float(parts)
    if each > 1 and parts > 1 and 0 < rate < 1:
        spread = sum((count / each - rate) ** 2 for count in hits) / (parts - 1) / parts
        effective = rate * (1 - rate) / spread if spread else float(parts * each)
        effective = min(max(effective, parts), parts * each)
    return Share(total, parts * each, *clopper_pearson(rate * effective, effective))
