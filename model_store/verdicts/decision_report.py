"""What the rules for verdicts do to pictures that the model had not seen, as manifests say it."""

from __future__ import annotations

from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from model_store.promise.promise import Promise
from model_store.verdicts.calibration import Calibration
from model_store.verdicts.costs import VerdictCounts
from model_store.verdicts.risk import OperatingPoint


class DecisionReport(BaseModel):
    """Calibration, what reviewing is worth, and how good and defective parts were judged.

    All of it is of out-of-fold probabilities. The thresholds were chosen on the same pictures,
    which flatters the figures a little; a promise takes that into account.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    calibration: Calibration
    without_review: OperatingPoint = Field(description="Every first choice stands.")
    with_review: OperatingPoint = Field(description="At the threshold in force.")
    curve: tuple[OperatingPoint, ...] = Field(description="Risk and coverage.")
    good: VerdictCounts = Field(description="Under all rules together, costs and novelty too.")
    defects: VerdictCounts
    novelty_rate: float | None = Field(
        default=None, description="Share of ordinary parts that should exceed `novel_above`."
    )
    unpromised: tuple[str, ...] = Field(
        default=(), description="Classes with too few pictures for a conformal promise."
    )
    promise: Promise | None = Field(
        default=None, description="What share of the defects passes, at most; null: none was asked."
    )

    @model_serializer(mode="wrap")
    def _without_later(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out a promise that is not there: manifests older than it keep their digest."""
        data: dict[str, Any] = handler(self)
        return {name: value for name, value in data.items() if name != "promise" or value}
