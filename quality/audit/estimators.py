"""The line's true defect rate, escapes and overkill, from an audit sample. Pure.

A known share of the parts that the model decided is drawn at random and goes to people too, blind.
What people find there, weighted by the inverse of the chance to be drawn, stands for all of them;
the parts that people decided anyway are all known and are added as they are. Parts that are still
open are in none of the figures.

The figure is for the parts made, a finite number: with a share of 1 it is exact. Drawn parts that
nobody has answered are taken to be like the answered ones of the same verdict, never as good: the
chance to be drawn is multiplied by the answered share. That holds where they wait for no reason
that has to do with the part; how many they are is reported beside the figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quality.audit.intervals import number_nonconforming
from quality.audit.sample import Estimate, Method, Said, Stratum, refuse_empty


@dataclass(frozen=True, slots=True)
class Truth:
    """What an audit says of a line.

    Attributes:
        nonconforming: of all parts that are decided, by the model or by people.
        escapes: nonconforming parts among those the model called conforming; None without such.
        overkill: conforming parts among those the model called nonconforming; None without such.
        drawn: parts in the audit.
        unanswered: how many of these nobody has decided yet.
        taken_at_its_word: parts of strata without any answer, for which the model's word stands in
            the figure; the interval allows for all of them being otherwise.
    """

    nonconforming: Estimate
    escapes: Estimate | None
    overkill: Estimate | None
    drawn: int
    unanswered: int
    taken_at_its_word: int


def truth(
    strata: Sequence[Stratum],
    by_people: int = 0,
    bad_by_people: int = 0,
    method: Method = Method.AUTO,
) -> Truth:
    """The true figures of a line.

    The figure is the inverse-propensity (Hájek) estimate within each stratum, Σ N·d/a. That is also
    the prediction-powered mean (A. N. Angelopoulos et al., Science 382 (2023) 669-674) with its
    correction made stratum by stratum, for what the model said is what the strata are made by.

    The interval, as the coverage study decided (docs/statistics.md): exact bounds where the audit
    found fewer than `FEW` parts of either kind, else the score interval, for exact bounds then
    cover too often. Normal intervals, which `method` may ask for, cover far too seldom where few
    are found.

    Args:
        strata: what the model decided; more than two where the share was changed.
        by_people: parts that people decided because the model left them open.
        bad_by_people: how many of them are nonconforming.

    Raises:
        NoAuditError: there is no part, or no audited part is answered.
        ValueError: more nonconforming parts than people decided.
    """
    if not 0 <= bad_by_people <= by_people:
        raise ValueError(f"{bad_by_people} nonconforming of {by_people} parts that people decided")
    refuse_empty(strata)
    drawn = sum(one.drawn for one in strata)
    passed = [one for one in strata if one.said is Said.CONFORMING and one.parts]
    called = [one for one in strata if one.said is Said.NONCONFORMING and one.parts]
    return Truth(
        nonconforming=_plus(number_nonconforming(strata, method), by_people, bad_by_people),
        escapes=number_nonconforming(passed, method) if passed else None,
        overkill=_otherwise(number_nonconforming(called, method)) if called else None,
        drawn=drawn,
        unanswered=drawn - sum(one.answered for one in strata),
        taken_at_its_word=sum(one.parts for one in strata if not one.answered),
    )


def _plus(estimate: Estimate, by_people: int, bad: int) -> Estimate:
    return Estimate(
        estimate.count + bad,
        estimate.low + bad,
        estimate.high + bad,
        estimate.of + by_people,
        estimate.method,
    )


def _otherwise(estimate: Estimate) -> Estimate:
    of = estimate.of
    return Estimate(of - estimate.count, of - estimate.high, of - estimate.low, of, estimate.method)
