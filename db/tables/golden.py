"""Golden sets: pictures whose class is beyond doubt, kept to compare models on."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base


class GoldenItem(Base):
    """A picture of a golden set. While it is here, no purge touches the picture or its rows."""

    __tablename__ = "golden_items"
    __table_args__ = (Index(None, "inspection_id"),)

    product: Mapped[str] = mapped_column(primary_key=True)
    set_name: Mapped[str] = mapped_column(primary_key=True)
    inspection_id: Mapped[UUID] = mapped_column(ForeignKey("inspections.id"), primary_key=True)
    label: Mapped[str]
    added_at: Mapped[datetime]
    added_by: Mapped[str]


class GoldenSet(Base):
    """A golden set that was frozen: nothing joins or leaves it, and its digest says what it is."""

    __tablename__ = "golden_sets"

    product: Mapped[str] = mapped_column(primary_key=True)
    set_name: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    pictures: Mapped[int]
    frozen_at: Mapped[datetime]
    frozen_by: Mapped[str]
