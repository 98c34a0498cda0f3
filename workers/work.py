"""One picture on its way through the worker, and the row it becomes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
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

    def record(self, verdict: Verdict, **fields: Any) -> InspectionRecord:
        """The row for this picture with `verdict`; `fields` fill the columns named."""
        image, envelope = self.image, self.envelope
        return InspectionRecord(
            id=image.id,
            product=envelope.product,
            line=envelope.line,
            camera=image.camera,
            part=image.part,
            lot=image.lot,
            image_uri=image.uri,
            captured_at=image.captured_at,
            enqueued_at=envelope.enqueued_at,
            decided_at=datetime.now(UTC),
            verdict=verdict,
            attempt=image.attempt,
            worker=self.worker,
            **fields,
        )

    def rejected(self, reason: Reason, detail: str, **fields: Any) -> InspectionRecord:
        """The row for this picture when its file cannot be judged."""
        return self.record(Verdict.REJECTED, reason=reason, detail=detail, **fields)


@dataclass(frozen=True, slots=True, eq=False)
class PreparedPicture:
    """A decoded picture: uint8 `[3, 224, 224]` pixels, ready for both encoders."""

    work: Work
    pixels: torch.Tensor
    sha256: str
