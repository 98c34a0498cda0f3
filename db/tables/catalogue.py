"""What the plant has: products and their classes, lines, cameras, shifts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Json, OptionalJson


class Product(Base):
    """A product as its file describes it: `spec` in the words of 0.1.0, `options` in later ones.

    Apart, since programs of 0.1.0 read `spec` and refuse every product if one has a key too many.
    """

    __tablename__ = "products"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    spec: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    options: Mapped[dict[str, Any] | None] = mapped_column(OptionalJson)


class DefectClass(Base):
    """A class that a product's parts are sorted into, the good one included."""

    __tablename__ = "defect_classes"

    product: Mapped[str] = mapped_column(
        ForeignKey("products.code", ondelete="CASCADE"), primary_key=True
    )
    code: Mapped[str] = mapped_column(primary_key=True)
    good: Mapped[bool]
    prompts: Mapped[list[str]] = mapped_column(Json)
    position: Mapped[int]


class Line(Base):
    """A production line. Workers add it on first sight; people fill in the rest."""

    __tablename__ = "lines"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    takt_budget_s: Mapped[float | None]
    policy: Mapped[str] = mapped_column(server_default="fifo")


class Camera(Base):
    """A camera of a line. Workers add it on first sight."""

    __tablename__ = "cameras"

    line: Mapped[str] = mapped_column(ForeignKey("lines.code"), primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    first_seen_at: Mapped[datetime]


class ShiftRow(Base):
    """A shift in plant time, whole hours; one that ends before it starts passes midnight."""

    __tablename__ = "shifts"
    __table_args__ = (
        CheckConstraint("starts_hour BETWEEN 0 AND 23", name="starts_hour"),
        CheckConstraint("ends_hour BETWEEN 0 AND 24", name="ends_hour"),
    )

    name: Mapped[str] = mapped_column(primary_key=True)
    starts_hour: Mapped[int]
    ends_hour: Mapped[int]
