"""A receipt: the word that a picture's verdict is committed. Only then may a spool forget it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from producer.contract.vocabulary import Reason, Verdict


class Receipt(BaseModel):
    """What a worker pushes to the producer's list after the database commit, one a picture."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    version: Literal[1] = 1
    id: UUID
    verdict: Verdict
    defect_class: str | None = None
    confidence: float | None = None
    reason: Reason | None = None
    model_version: str | None = None
    decided_at: datetime


def receipts_key(producer: str) -> str:
    """The Redis list on which `producer` finds its receipts, oldest first."""
    return f"linewatch:receipts:{producer}"
