"""One picture on its way through the worker, and the row it becomes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from db.records import InspectionRecord
from producer.contract import ImageRef, Reason, Verdict
from producer.contract.message import Envelope

if TYPE_CHECKING:  # the training worker loads no torch
    import torch


@dataclass(frozen=True, slots=True)
class Work:
    """A picture that a message asks to inspect."""

    image: ImageRef
    envelope: Envelope
    worker: str

    @property
    def id(self) -> UUID:
        """The picture's id."""
        return self.image.id

    def record(self, verdict: Verdict, **fields: object) -> InspectionRecord:
        """The row for this picture with `verdict`; `fields` fill the columns named."""
        base = InspectionRecord(
            id=self.image.id,
            product=self.envelope.product,
            line=self.envelope.line,
            camera=self.image.camera,
            part=self.image.part,
            lot=self.image.lot,
            image_uri=self.image.uri,
            captured_at=self.image.captured_at,
            enqueued_at=self.envelope.enqueued_at,
            decided_at=datetime.now(UTC),
            verdict=verdict,
            attempt=self.image.attempt,
            worker=self.worker,
        )
        return replace(base, **fields)  # type: ignore[arg-type]

    def rejected(self, reason: Reason, detail: str, **fields: object) -> InspectionRecord:
        """The row for this picture when its file cannot be judged."""
        return self.record(Verdict.REJECTED, reason=reason, detail=detail, **fields)


@dataclass(frozen=True, slots=True, eq=False)
class PreparedPicture:
    """A decoded picture: uint8 `[3, 224, 224]` pixels, ready for both encoders."""

    work: Work
    pixels: torch.Tensor
    sha256: str
