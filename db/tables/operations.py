"""What operations look at: dead letters, alerts, and the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, SerialKey


class DeadLetter(Base):
    """A message, or one picture of it, that could not be judged; kept so that it can be requeued.

    Unique a task and picture: a message delivered twice leaves one letter.
    """

    __tablename__ = "dead_letters"
    __table_args__ = (
        Index(None, "received_at"),
        Index(
            "uq_dead_letters_task",
            "task_id",
            unique=True,
            sqlite_where=text("image_id IS NULL"),
            postgresql_where=text("image_id IS NULL"),
        ),
        Index(
            "uq_dead_letters_task_image",
            "task_id",
            "image_id",
            unique=True,
            sqlite_where=text("image_id IS NOT NULL"),
            postgresql_where=text("image_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(SerialKey, primary_key=True)
    received_at: Mapped[datetime]
    task_id: Mapped[str | None]
    reason: Mapped[str]
    detail: Mapped[str]
    payload: Mapped[str]
    image_id: Mapped[UUID | None]
    requeued_at: Mapped[datetime | None]


class Requeue(Base):
    """Leave to replace the row of a dead-lettered picture, once, by its next verdict.

    The row stays until then, so that the picture is accounted for at every moment.
    """

    __tablename__ = "requeues"

    image_id: Mapped[UUID] = mapped_column(primary_key=True)
    letter_id: Mapped[int] = mapped_column(BigInteger)
    by: Mapped[str]
    requeued_at: Mapped[datetime]


class Suspect(Base):
    """A picture that was in a worker's hands when the worker died, see `workers.poison`.

    Here and not in the queue, because a redelivered message starts with a clean slate there.
    """

    __tablename__ = "suspects"

    image_id: Mapped[UUID] = mapped_column(primary_key=True)
    deaths: Mapped[int]
    alone: Mapped[int]
    worker: Mapped[str]
    seen_at: Mapped[datetime]


class RetentionMark(Base):
    """How far a purge has come with a product: nothing decided before `until` is looked at again.

    Pictures and features leave no trace in their inspection; without the mark every purge would
    read all that the earlier ones had done. '' stands for pictures of no registered product.
    """

    __tablename__ = "retention_marks"

    kind: Mapped[str] = mapped_column(primary_key=True)
    product: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[datetime]


class Alert(Base):
    """Something a person should know; open until `resolved_at`."""

    __tablename__ = "alerts"
    __table_args__ = (Index(None, "resolved_at", "raised_at"),)

    id: Mapped[int] = mapped_column(SerialKey, primary_key=True)
    raised_at: Mapped[datetime]
    kind: Mapped[str]
    severity: Mapped[str]
    line: Mapped[str | None]
    product: Mapped[str | None]
    message: Mapped[str]
    resolved_at: Mapped[datetime | None]


class AuditEntry(Base):
    """Who did what: each entry's hash covers the one before it, see `db.audit`."""

    __tablename__ = "audit_log"

    id: Mapped[int] = mapped_column(SerialKey, primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    # JSON and not JSONB: JSONB rewrites numbers, and the hash is over what was written.
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    previous_hash: Mapped[str]
    hash: Mapped[str]
