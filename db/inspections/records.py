"""What a worker hands over for each picture, and what it reads back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isfinite
from typing import TYPE_CHECKING, Any
from uuid import UUID

from producer.contract import Reason, Verdict

if TYPE_CHECKING:  # who has a vector has loaded numpy
    import numpy as np
    import numpy.typing as npt

    from quality.drift.optics import Optics


@dataclass(frozen=True, slots=True)
class StoredFeatures:
    """A feature vector as it is kept: float16, little endian, under its fingerprint."""

    fingerprint: str
    vector: bytes

    @classmethod
    def of(cls, fingerprint: str, vector: npt.NDArray[np.floating[Any]]) -> StoredFeatures:
        """A vector as it is kept; `model_store.serving.rejudge.vectors_of` reads it."""
        return cls(fingerprint, vector.astype("<f2", copy=False).tobytes())

    @property
    def finite(self) -> bool:
        """Whether every number is one: of a picture that the encoders failed on some are not."""
        return all_finite(self.vector)


def all_finite(stored: bytes) -> bool:
    """Whether numbers kept as float16, little endian, are all finite."""
    import numpy as np

    return bool(np.isfinite(np.frombuffer(stored, "<f2")).all())


@dataclass(frozen=True, slots=True)
class StoredMap:
    """How unlike good a model found a picture, place by place.

    Attributes:
        model_version: whose word it is.
        score: of the picture: the mean of its farthest places.
        border: of that score, above which the picture does not pass.
        height, width: of the map, in places.
        box: what it covers: x0, y0, x1, y1 in fractions of the picture's sides. Places on its rim
            may reach beyond the picture.
        places: float16, little endian, height × width of them, row by row: 1 − cosine.
    """

    model_version: str
    score: float
    border: float
    height: int
    width: int
    box: tuple[float, float, float, float]
    places: bytes


@dataclass(frozen=True, slots=True)
class ShadowJudgement:
    """What the shadow would have said of a picture. It has no say."""

    model_version: str
    verdict: Verdict
    reason: Reason | None
    probabilities: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionRecord:
    """One picture and how it ended. What a message did not say is None.

    Attributes:
        optics: light and focus of a judged picture, for the drift watch of its worker; not stored.
    """

    id: UUID
    verdict: Verdict
    decided_at: datetime
    product: str | None = None
    line: str | None = None
    camera: str | None = None
    part: str | None = None
    lot: str | None = None
    image_uri: str | None = None
    image_sha256: str | None = None
    captured_at: datetime | None = None
    enqueued_at: datetime | None = None
    defect_class: str | None = None
    confidence: float | None = None
    model_version: str | None = None
    attempt: int = 1
    reason: Reason | None = None
    detail: str | None = None
    worker: str | None = None
    seen: Mapping[str, Any] | None = None
    pass_number: int | None = None
    views: Sequence[str] | None = None
    work_order: str | None = None
    purpose: str | None = None
    site: str | None = None
    trace_id: str | None = None
    probabilities: Mapping[str, float] | None = None
    features: StoredFeatures | None = None
    shadow: ShadowJudgement | None = None
    maps: Sequence[StoredMap] = ()
    optics: Optics | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if self.probabilities is not None and self.model_version is None:
            raise ValueError(f"inspection {self.id}: probabilities need their model_version")

    @classmethod
    def unreadable(
        cls,
        id_: UUID,
        *,
        verdict: Verdict,
        reason: Reason,
        detail: str,
        worker: str | None = None,
        product: str | None = None,
        line: str | None = None,
        image_uri: str | None = None,
    ) -> InspectionRecord:
        """The row, decided now, of a picture whose message or fields could not be read."""
        return cls(
            id=id_,
            verdict=verdict,
            decided_at=datetime.now(UTC),
            reason=reason,
            detail=detail,
            worker=worker,
            product=product,
            line=line,
            image_uri=image_uri,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a picture ended, as committed: what its receipt says, however often it is asked."""

    verdict: Verdict
    defect_class: str | None
    confidence: float | None
    reason: Reason | None
    model_version: str | None
    decided_at: datetime

    @classmethod
    def of(cls, record: InspectionRecord) -> Outcome:
        """What a record that was just committed says."""
        known = record.confidence is not None and isfinite(record.confidence)
        return cls(
            verdict=record.verdict,
            defect_class=record.defect_class,
            confidence=record.confidence if known else None,
            reason=record.reason,
            model_version=record.model_version,
            decided_at=record.decided_at,
        )
