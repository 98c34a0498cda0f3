"""The facts: one row a picture, its scores and features, and the hourly roll-up of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base
from producer.contract import Verdict

_VERDICTS = ", ".join(f"'{verdict}'" for verdict in Verdict)


class Inspection(Base):
    """A picture and how it ended.

    The id is the producer's, a UUIDv7: rows lie in order of time, and months can become partitions
    by ranges of ids without a second key. Columns are null where a message could not be read.
    """

    __tablename__ = "inspections"
    __table_args__ = (
        CheckConstraint(f"verdict IN ({_VERDICTS})", name="verdict"),
        Index(None, "product", "decided_at"),
        Index(None, "line", "camera", "decided_at"),
        Index(None, "verdict", "decided_at"),
        Index(None, "part"),
        # Hashes, since only equality is asked for: a URI may be longer than a B-tree's key.
        Index(None, "image_sha256", postgresql_using="hash"),
        Index(None, "image_uri", postgresql_using="hash"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    product: Mapped[str | None]
    line: Mapped[str | None]
    camera: Mapped[str | None]
    part: Mapped[str | None]
    lot: Mapped[str | None]
    image_uri: Mapped[str | None]
    image_sha256: Mapped[str | None]
    captured_at: Mapped[datetime | None]
    enqueued_at: Mapped[datetime | None]
    decided_at: Mapped[datetime]
    verdict: Mapped[str]
    defect_class: Mapped[str | None]  # the model's first choice, whatever the verdict
    confidence: Mapped[float | None]
    model_version: Mapped[str | None]
    attempt: Mapped[int]
    reason: Mapped[str | None]
    detail: Mapped[str | None]
    worker: Mapped[str | None]


class InspectionScore(Base):
    """What one model thought of one picture: `{class: probability}`.

    One row a picture and model, not one a class: nine rows a picture would make this the largest
    table by far, and nobody asks for one class's probability without the others. A shadow adds its
    own rows, with the verdict that it would have given; the champion's is in the inspection.
    """

    __tablename__ = "inspection_scores"

    inspection_id: Mapped[UUID] = mapped_column(
        ForeignKey("inspections.id", ondelete="CASCADE"), primary_key=True
    )
    model_version: Mapped[str] = mapped_column(primary_key=True)
    probabilities: Mapped[dict[str, Any]]
    verdict: Mapped[str | None]
    reason: Mapped[str | None]


class Feature(Base):
    """A picture's feature vector (float16, little endian) under one fingerprint of encoders."""

    __tablename__ = "features"

    inspection_id: Mapped[UUID] = mapped_column(
        ForeignKey("inspections.id", ondelete="CASCADE"), primary_key=True
    )
    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    vector: Mapped[bytes]
    created_at: Mapped[datetime]


class InspectionHourly(Base):
    """How many pictures ended how in an hour: reports cost hours, not parts.

    `hour` is the instant at which the plant's hour began, see `db.hours`. '' stands for none, since
    a primary key holds no nulls.
    """

    __tablename__ = "inspection_hourly"
    # Room on each page lets PostgreSQL update a count in place, without touching the index.
    __table_args__ = ({"postgresql_with": {"fillfactor": 70}},)

    hour: Mapped[datetime] = mapped_column(primary_key=True)
    product: Mapped[str] = mapped_column(primary_key=True)
    line: Mapped[str] = mapped_column(primary_key=True)
    camera: Mapped[str] = mapped_column(primary_key=True)
    lot: Mapped[str] = mapped_column(primary_key=True)
    verdict: Mapped[str] = mapped_column(primary_key=True)
    defect_class: Mapped[str] = mapped_column(primary_key=True)
    model_version: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)
