"""Settings of models: how they are made, when they are unsure, when the world has moved."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, Field, field_validator, model_validator

from linewatch.products import Costs
from linewatch.settings.reading import empty_is_none


class Learning(BaseModel):
    """Training and the gate, verdicts and their costs, drift."""

    folds: int = Field(default=3, ge=2)
    random_state: int = 42
    group_by: Literal["part", "lot"] = Field(
        default="part", description="What cross-validation and the gate never split: part or lot."
    )
    training_lease_s: float = Field(
        default=60.0, gt=0, description="A training run silent for this long gives up its place."
    )
    retrain_after_labels: int = Field(default=100, ge=1)
    retrain_hour: int = Field(default=2, ge=0, le=23, description="Nightly, plant time.")
    review_below: float = Field(
        default=0.5, ge=0, le=1, description="A verdict less probable than this goes to a person."
    )
    auto_promote: Literal["off", "gate"] = Field(
        default="off", description="gate: a retrained model that passes the gate serves at once."
    )
    golden_set: str = Field(
        default="golden",
        min_length=1,
        max_length=64,
        description="The set that the gate compares on, and `linewatch golden` means unasked.",
    )
    gate_least_defects: int = Field(
        default=100,
        ge=1,
        description="With fewer defective parts to compare on, nothing passes the gate.",
    )
    gate_escape_margin: float = Field(
        default=0.02,
        gt=0,
        le=1,
        description="Share of the defects by which escapes must surely not grow.",
    )
    gate_least_pictures: int = Field(
        default=20, ge=1, description="The like of GATE_LEAST_DEFECTS, without a good class."
    )
    gate_review_growth: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="How much the share for review may grow, without a good class.",
    )
    gate_macro_f1_loss: float = Field(
        default=0.02,
        ge=0,
        le=1,
        description="How much macro F1 may fall, even by chance, without a good class.",
    )
    head: Literal["auto", "logistic", "fisher", "nested", "lda"] = Field(
        default="auto",
        description="Kind of head that training fits; auto: that of the model that serves.",
    )
    search_budget_s: float = Field(
        default=120.0, gt=0, description="Seconds that `linewatch train --search` may search."
    )
    few_shot_below: int = Field(
        default=5,
        ge=0,
        description="While most classes have fewer labels, prompts are blended in; 0: never.",
    )
    embed_idle_s: float = Field(
        default=5.0,
        ge=0,
        description="An inspect worker idle for this long embeds labelled pictures; 0: never.",
    )

    escape_target: float | None = Field(
        default=0.01,
        gt=0,
        lt=1,
        description="Share of the defects that may pass, promised; empty: nothing is promised.",
    )
    escape_confidence: float = Field(
        default=0.95, gt=0, lt=1, description="With which escape_target is promised."
    )
    unproven: Literal["review", "provisional"] = Field(
        default="provisional",
        description="While the labels cannot promise it: all to people, or what is above every "
        "labelled defect passes.",
    )
    review_max_escape_rate: float | None = Field(
        default=None,
        ge=0,
        lt=1,
        description="Chooses review_below for each model: at most this share of defects passes.",
    )
    review_max_share: float | None = Field(
        default=None,
        ge=0,
        lt=1,
        description="Chooses review_below for each model: at most this share of parts is reviewed.",
    )
    conformal_alpha: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="Review what is not of one class with confidence 1 - alpha; empty: off.",
    )
    novelty_rate: float = Field(
        default=0.005,
        ge=0,
        lt=1,
        description="Share of ordinary parts that may be called novel; 0: nothing is.",
    )
    unlike_good_rate: float = Field(
        default=0.02,
        ge=0,
        lt=1,
        description="Share of good parts that may be called unlike good and do not pass; 0: none.",
    )
    patch_memory: bool = Field(
        default=True,
        description="Models remember what places of good parts look like, and what is unlike them.",
    )
    cost_escape: float | None = Field(
        default=None, gt=0, description="Cost of a defect that passes; see docs/verdicts.md."
    )
    cost_overkill: float | None = Field(
        default=None, gt=0, description="Cost of a good part called a defect."
    )
    cost_review: float | None = Field(
        default=None, gt=0, description="Cost of a person's look at a part."
    )
    line_defect_rate: float | None = Field(
        default=None, gt=0, lt=1, description="Share of defects among the parts the lines make."
    )

    drift_baseline_parts: int = Field(
        default=500,
        ge=0,
        description="A camera's first parts under a model, compared with all later; 0: no alarms.",
    )
    drift_false_alarm: float = Field(
        default=0.1,
        gt=0,
        lt=1,
        description="Chance that a camera alarms of drift within 10,000 parts without any.",
    )

    _no_number = field_validator(
        "escape_target",
        "review_max_escape_rate",
        "review_max_share",
        "conformal_alpha",
        "cost_escape",
        "cost_overkill",
        "cost_review",
        "line_defect_rate",
        mode="before",
    )(empty_is_none)

    @model_validator(mode="after")
    def _agree_on_verdicts(self) -> Self:
        if self.review_max_escape_rate is not None and self.review_max_share is not None:
            raise ValueError(
                "review_max_escape_rate and review_max_share both choose review_below; set one"
            )
        if 0 < sum(value is not None for value in self._costs) < len(self._costs):
            raise ValueError(
                "cost_escape, cost_overkill, cost_review and line_defect_rate need each other"
            )
        return self

    @property
    def _costs(self) -> tuple[float | None, ...]:
        return (self.cost_escape, self.cost_overkill, self.cost_review, self.line_defect_rate)

    @property
    def costs(self) -> Costs | None:
        """What verdicts cost, for products whose file says nothing; None: not set."""
        escape, overkill, review, defect_rate = self._costs
        if escape is None or overkill is None or review is None or defect_rate is None:
            return None
        return Costs(escape=escape, overkill=overkill, review=review, defect_rate=defect_rate)
