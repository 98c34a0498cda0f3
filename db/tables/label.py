"""What people said a picture shows, and what reports ask of pictures that are labelled."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, SerialKey


class Label(Base):
    """One statement by one person (or import). Append-only; the latest `labelled_at` wins.

    The label '' takes back those before it: nobody has labelled the picture.
    """

    __tablename__ = "labels"
    __table_args__ = (
        Index(None, "inspection_id", "labelled_at"),
        Index(None, "product", "recorded_at"),
        Index(None, "recorded_at"),
    )

    id: Mapped[int] = mapped_column(SerialKey, primary_key=True)
    inspection_id: Mapped[UUID] = mapped_column(ForeignKey("inspections.id"))
    product: Mapped[str]
    label: Mapped[str]
    labelled_by: Mapped[str]
    labelled_at: Mapped[datetime]  # when the person said so
    recorded_at: Mapped[datetime]  # when it came here: an import brings old labels late
    source: Mapped[str]
    note: Mapped[str]


class LabelledPicture(Base):
    """A labelled picture: its latest label, beside what reports ask of its inspection.

    A copy of both, which `db.parts.settle` keeps: to find the inspections of a year's labels among
    ten millions takes a second, and these lie together. '' stands for none.
    """

    __tablename__ = "labelled_pictures"
    __table_args__ = (Index(None, "made_at"),)

    inspection_id: Mapped[UUID] = mapped_column(ForeignKey("inspections.id"), primary_key=True)
    product: Mapped[str]
    label: Mapped[str]
    recorded_at: Mapped[datetime]  # of the label
    line: Mapped[str]
    lot: Mapped[str]
    model_version: Mapped[str]
    verdict: Mapped[str]
    defect_class: Mapped[str]
    made_at: Mapped[datetime]
