"""What people were told, by which notifier, and which workers it has seen."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base


class AlertNotice(Base):
    """One telling: of an alert or a shift's summary, through one channel.

    Its row is written before it is sent, by who holds the lease, so that two notifiers tell once;
    `told_at` null: it is not sent yet, or it failed and is tried again at `next_at`.
    """

    __tablename__ = "alert_notices"
    __table_args__ = (
        CheckConstraint("what IN ('raised', 'repeat', 'closed', 'summary')", name="what"),
        Index(None, "told_at"),
    )

    subject: Mapped[str] = mapped_column(primary_key=True)  # alert:ID, or summary:BEGIN:SHIFT
    channel: Mapped[str] = mapped_column(primary_key=True)
    what: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)  # of its repeats
    claimed_at: Mapped[datetime]
    claimed_by: Mapped[str]
    told_at: Mapped[datetime | None]
    attempts: Mapped[int]
    next_at: Mapped[datetime | None]
    problem: Mapped[str | None]  # why it failed last


class Lease(Base):
    """What one process at a time does: `holder` does it until `until`, unless it renews."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    until: Mapped[datetime]


class WorkerSighting(Base):
    """A worker that answered the notifier, and when it did so last."""

    __tablename__ = "worker_sightings"

    name: Mapped[str] = mapped_column(primary_key=True)
    device: Mapped[str]
    seen_at: Mapped[datetime]
