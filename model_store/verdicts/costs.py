"""What verdicts cost at the line's own rate of defects. Pure.

Labelled pictures hold far more defects than the line makes: at 50 % defects a model may be right
about 96 of 100 parts it calls defective, and about 10 of 100 at 0.5 %. Nothing in the model has
changed but the odds. So rates are measured within the defects and within the good parts, and
weighted as the line makes them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from linewatch.products import Costs
from producer.contract import Verdict


class VerdictCounts(BaseModel):
    """How parts of one kind were judged."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    passed: int = Field(default=0, ge=0)
    defect: int = Field(default=0, ge=0)
    review: int = Field(default=0, ge=0)

    @classmethod
    def of(cls, verdicts: Iterable[Verdict]) -> VerdictCounts:
        """Count them."""
        seen = list(verdicts)
        return cls(
            passed=seen.count(Verdict.PASS),
            defect=seen.count(Verdict.DEFECT),
            review=seen.count(Verdict.REVIEW),
        )

    def rate(self, verdict: Verdict) -> float:
        """The share that was judged so; 0 where nothing was."""
        total = self.passed + self.defect + self.review
        count = {Verdict.PASS: self.passed, Verdict.DEFECT: self.defect}.get(verdict, self.review)
        return count / total if total else 0.0


class LineFigures(NamedTuple):
    """What a model does on a line. `None` where it never says so, or nothing was set."""

    defect_rate: float
    ppv: float | None  # share of true defects among the parts called defective
    npv: float | None  # share of good parts among the parts that pass
    escape_rate: float  # escapes a part made
    overkill_rate: float  # overkill a part made
    review_share: float
    cost: float | None  # expected, a part


class GoodBorders(NamedTuple):
    """A part passes from `pass_from` on, is a defect up to `defect_to`, else a person looks.

    Both are probabilities of the good class, as the model states them.
    """

    pass_from: float
    defect_to: float


def on_the_line(
    good: VerdictCounts, defects: VerdictCounts, defect_rate: float, costs: Costs | None = None
) -> LineFigures:
    """The figures at a rate of defects, by Bayes' rule.

    Args:
        good: how good parts were judged that the model had not seen.
        defects: how defects were. Their mix is taken to be the line's.
        defect_rate: share of defects among the line's parts, in [0, 1].
        costs: for `cost`.
    """
    bad, fine = defect_rate, 1 - defect_rate
    hits, overkill = bad * defects.rate(Verdict.DEFECT), fine * good.rate(Verdict.DEFECT)
    escapes, passed = bad * defects.rate(Verdict.PASS), fine * good.rate(Verdict.PASS)
    review = bad * defects.rate(Verdict.REVIEW) + fine * good.rate(Verdict.REVIEW)
    cost = None
    if costs is not None:
        cost = costs.escape * escapes + costs.overkill * overkill + costs.review * review
    return LineFigures(
        defect_rate=defect_rate,
        ppv=hits / (hits + overkill) if hits + overkill else None,
        npv=passed / (passed + escapes) if passed + escapes else None,
        escape_rate=escapes,
        overkill_rate=overkill,
        review_share=review,
        cost=cost,
    )


def at_defect_rate(p_good: float, trained_rate: float, line_rate: float) -> float:
    """P(good) on a line with `line_rate` defects, of a model fitted on `trained_rate` defects.

    The odds are multiplied by the ratio of the prior odds: Saerens, Latinne and Decaestecker,
    "Adjusting the Outputs of a Classifier to New a Priori Probabilities", Neural Computation 2002,
    equation 2.4, for two classes. It holds where a class looks alike in training and on the line.
    """
    good = p_good * (1 - line_rate) / (1 - trained_rate)
    bad = (1 - p_good) * line_rate / trained_rate
    return good / (good + bad)


def cheapest_borders(costs: Costs, trained_rate: float) -> GoodBorders:
    """Between which P(good) each verdict is the cheapest.

    With p = P(good) on the line, passing costs escape · (1 − p), calling it a defect
    overkill · p, and a person `review`; the least of them wins (Chow, "On Optimum Recognition Error
    and Reject Tradeoff", IEEE Trans. Information Theory 1970; Elkan, "The Foundations of
    Cost-Sensitive Learning", IJCAI 2001). The borders are then moved to the probabilities of a
    model fitted on `trained_rate` defects, by the inverse of `at_defect_rate`.

    Args:
        costs: with the line's rate of defects.
        trained_rate: share of defects among the labelled pictures, in (0, 1).
    """
    even = costs.escape / (costs.escape + costs.overkill)
    pass_from = max(even, 1 - costs.review / costs.escape)
    defect_to = min(even, costs.review / costs.overkill)
    return GoodBorders(
        pass_from=at_defect_rate(pass_from, costs.defect_rate, trained_rate),
        defect_to=at_defect_rate(defect_to, costs.defect_rate, trained_rate),
    )
