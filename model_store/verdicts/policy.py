"""What the plant, or a product, wants of verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from linewatch.product_options import ProductOptions
from linewatch.products import Costs
from linewatch.settings import Settings


@dataclass(frozen=True, slots=True)
class Policy:
    """What the plant wants. A rule whose field is None is not used.

    Attributes:
        review_below: the review threshold, where neither target chooses it.
        max_escape_rate: as few reviews as keep the share of defects that pass at most this, on the
            labelled pictures; promises nothing.
        max_review_share: as few escapes as this share of parts sent to a person allows.
        conformal_alpha: a part may be left out of its own class's set with this probability.
        novelty_rate: share of ordinary parts that may be called novel.
        unlike_good_rate: share of good parts that may be called unlike the good ones.
        costs: they set the borders instead of the review threshold.
        escape_target: share of the defects that may pass, promised; without a good class, share of
            the parts judged alone that may be of another class.
        confidence: with which it is promised.
        unproven: what happens while the labels cannot promise it. review: nothing passes.
            provisional: what is above every labelled defect does.
    """

    review_below: float = 0.5
    max_escape_rate: float | None = None
    max_review_share: float | None = None
    conformal_alpha: float | None = None
    novelty_rate: float | None = None
    unlike_good_rate: float | None = None
    costs: Costs | None = None
    escape_target: float | None = None
    confidence: float = 0.95
    unproven: Literal["review", "provisional"] = "provisional"

    @classmethod
    def of(
        cls, settings: Settings, product_costs: Costs | None, product: ProductOptions | None = None
    ) -> Policy:
        """The policy for a product: what its file says comes before the plant's settings."""
        said = product or ProductOptions()
        return cls(
            review_below=settings.review_below,
            max_escape_rate=settings.review_max_escape_rate,
            max_review_share=settings.review_max_share,
            conformal_alpha=settings.conformal_alpha,
            novelty_rate=settings.novelty_rate or None,
            unlike_good_rate=settings.unlike_good_rate or None,
            costs=product_costs or settings.costs,
            escape_target=said.escape_target or settings.escape_target,
            confidence=said.confidence or settings.escape_confidence,
            unproven=said.unproven or settings.unproven,
        )
