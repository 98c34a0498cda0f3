"""Attribute agreement study: how well appraisers, the model among them, tell parts. Pure.

Parts with a known reference are shown to every appraiser in several trials, blind and in an order
drawn anew (AIAG, Measurement Systems Analysis, 4th ed. (2010), chapter III, section C).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

from quality.agreement.appraiser import (
    Appraiser,
    Share,
    Trial,
    appraise,
    kappa_of_trials,
    share_of_parts,
)
from quality.agreement.kappa import Kappa, cohens_kappa


@dataclass(frozen=True, slots=True)
class Rating:
    """What an appraiser said of a part in a trial, numbered from 1: a class, or conforming."""

    appraiser: str
    part: str
    trial: int
    said: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """A study.

    Attributes:
        pairs: Cohen's kappa of each two appraisers, trial by trial.
        between: Fleiss' kappa of all appraisers and trials; None of a single rating a part.
        all_right: parts that every appraiser told right in every trial.
    """

    parts: int
    trials: int
    appraisers: tuple[Appraiser, ...]
    pairs: Mapping[tuple[str, str], Kappa | None]
    between: Kappa | None
    all_right: Share


def agreement_study(
    reference: Mapping[str, str], ratings: Iterable[Rating], conforming: str = "conforming"
) -> Agreement:
    """Evaluate a study.

    Rates are by disposition: a nonconforming part is told right when it is called nonconforming,
    by whatever class. Kappas are by what was said, so by class where classes are given.

    Args:
        reference: for each part what it is: `conforming`, or a class of defect.
        ratings: of every appraiser, part and trial, each once.

    Raises:
        ValueError: no part or no rating, a part without reference, or a rating that is missing or
            given twice.
    """
    trials = _trials(reference, ratings)
    said = [trial for of in trials.values() for trial in of]
    return Agreement(
        parts=len(reference),
        trials=len(next(iter(trials.values()))),
        appraisers=tuple(appraise(name, of, reference, conforming) for name, of in trials.items()),
        pairs={
            (one, other): cohens_kappa(
                [
                    [(a[part], b[part]) for a, b in zip(trials[one], trials[other], strict=True)]
                    for part in reference
                ]
            )
            for one, other in combinations(trials, 2)
        },
        between=kappa_of_trials(said, reference),
        all_right=share_of_parts(
            all((trial[part] == conforming) == (reference[part] == conforming) for trial in said)
            for part in reference
        ),
    )


def _trials(reference: Trial, ratings: Iterable[Rating]) -> dict[str, list[Trial]]:
    """By appraiser and trial, complete."""
    found: dict[str, dict[int, dict[str, str]]] = {}
    for one in ratings:
        if one.part not in reference:
            raise ValueError(f"part {one.part!r} has no reference: it cannot be told right")
        if one.trial < 1:
            raise ValueError(f"trial {one.trial} of {one.appraiser!r}: trials are numbered from 1")
        trial = found.setdefault(one.appraiser, {}).setdefault(one.trial, {})
        if one.part in trial:
            raise ValueError(
                f"{one.appraiser!r} rated part {one.part!r} twice in trial {one.trial}"
            )
        trial[one.part] = one.said
    if not found:
        raise ValueError("an agreement study needs ratings; there are none")
    last = max(number for trials in found.values() for number in trials)
    for name, trials in found.items():
        for number in range(1, last + 1):
            if missing := set(reference) - set(trials.get(number, ())):
                raise ValueError(
                    f"{name!r} has not rated {len(missing)} of {len(reference)} parts in trial "
                    f"{number}, {min(missing)!r} among them: each must be in every trial"
                )
    return {name: [of[number] for number in range(1, last + 1)] for name, of in found.items()}
