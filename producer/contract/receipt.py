"""A receipt: the word that a picture's verdict is committed. Only then may a spool forget it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import AliasChoices, BaseModel, ConfigDict, Field
from pydantic_core import to_json

from producer.contract.vocabulary import Reason, Verdict, stand_in


class Receipt(BaseModel):
    """What a worker pushes to the producer's list after the database commit, one a picture.

    In Python `reason` is the exact one. As `written`, a reason that cameras of 0.1.0 cannot read
    stands under `exact_reason`, and `reason` is the nearest one that they can: a receipt that a
    camera cannot read clears nothing there, and its picture would be sent for ever.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)

    version: Literal[1] = 1
    id: UUID
    verdict: Verdict
    defect_class: str | None = None
    confidence: float | None = None
    reason: Reason | None = Field(
        default=None, validation_alias=AliasChoices("exact_reason", "reason")
    )
    model_version: str | None = None
    decided_at: datetime

    def written(self) -> str:
        """The JSON that goes to the producer, without fields that have no value."""
        if self.reason is None:  # as of nearly every picture
            return self.model_dump_json(exclude_none=True)
        near = stand_in(self.reason, self.verdict)
        fields: dict[str, Any] = self.model_dump(exclude_none=True)
        exact = {} if near is self.reason else {"reason": near, "exact_reason": self.reason}
        return to_json(fields | exact).decode()


def receipts_key(producer: str) -> str:
    """The Redis list on which `producer` finds its receipts, oldest first."""
    return f"linewatch:receipts:{producer}"
