"""The audit sample: parts that the model decided and that people see too, and what they said."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, SerialKey


class AuditSeed(Base):
    """A product's secret, by which its parts are drawn. No role may read it; see `db.functions`."""

    __tablename__ = "audit_seeds"

    product: Mapped[str] = mapped_column(primary_key=True)
    seed: Mapped[bytes]
    made_at: Mapped[datetime]


class AuditShare(Base):
    """Which share of a product's parts, made from then on, is drawn. Append-only."""

    __tablename__ = "audit_shares"

    product: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime] = mapped_column(primary_key=True)
    share: Mapped[float]


class AuditDraw(Base):
    """A part that was drawn, as it was then. Whatever becomes of it, it is not drawn again."""

    __tablename__ = "audit_sample"
    __table_args__ = (
        CheckConstraint(
            "model_disposition IN ('conforming', 'nonconforming')", name="model_disposition"
        ),
        Index(None, "id", unique=True),
        Index(None, "product", "slice_at"),
    )

    product: Mapped[str] = mapped_column(primary_key=True)
    serial: Mapped[str] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(primary_key=True)
    pass_number: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[UUID]  # what people call it by
    share: Mapped[float]  # the chance with which it was drawn
    drawn_at: Mapped[datetime]
    model_disposition: Mapped[str]
    model_classes: Mapped[str]
    line: Mapped[str]
    lot: Mapped[str]
    made_at: Mapped[datetime]
    slice_at: Mapped[datetime]


class AuditAnswer(Base):
    """What a person said of a drawn part. Append-only; the latest `answered_at` counts."""

    __tablename__ = "audit_answers"
    __table_args__ = (
        CheckConstraint(
            "(disposition = 'conforming' AND defect_class IS NULL)"
            " OR (disposition = 'nonconforming' AND defect_class IS NOT NULL)",
            name="disposition",
        ),
        Index(None, "product", "serial", "scope", "pass_number"),
    )

    id: Mapped[int] = mapped_column(SerialKey, primary_key=True)
    product: Mapped[str]
    serial: Mapped[str]
    scope: Mapped[str]
    pass_number: Mapped[int]
    disposition: Mapped[str]
    defect_class: Mapped[str | None]
    answered_by: Mapped[str]
    answered_at: Mapped[datetime]  # when the person said so
    recorded_at: Mapped[datetime]  # when it came here
    note: Mapped[str]
