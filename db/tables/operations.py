"""What operations look at: dead letters, alerts, and the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, SerialKey

_STANDS = text("resolved_at IS NULL")


class DeadLetter(Base):
    """A message, or one picture of it, that could not be judged; kept so that it can be requeued.

    Unique by what it keeps: `digest` is of the payload, the picture and the reason. So a message
    delivered twice leaves one letter, and two messages that call themselves alike leave two.
    """

    __tablename__ = "dead_letters"
    __table_args__ = (
        Index(None, "received_at"),
        Index(None, "task_id"),
        Index(None, "reason", "size"),  # how much there is of each: further ones are but counted
        Index("uq_dead_letters_digest", "digest", unique=True),
    )

    id: Mapped[int] = mapped_column(SerialKey, primary_key=True)
    received_at: Mapped[datetime]
    task_id: Mapped[str | None]
    reason: Mapped[str]
    detail: Mapped[str]
    payload: Mapped[str]
    image_id: Mapped[UUID | None]
    requeued_at: Mapped[datetime | None]
    digest: Mapped[str]
    size: Mapped[int]  # of the payload, in bytes
    addressed_at: Mapped[datetime | None]  # when somebody saw to it, last
    addressed_by: Mapped[str | None]
    note: Mapped[str | None]  # what they did, in their words


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
    """A picture that was in a worker's hands when the worker died, see `workers.broker.poison`.

    Or a message with which a worker died before its task began: `image_id` is then the key of its
    content, see `workers.broker.quarantine`.

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
    """Something a person should know; open until `resolved_at`.

    `closed_by` is who closed it; null where it ended by itself, because its cause did.

    At most one of a `digest` is open: the partial unique index says so. The digest is of what tells
    the alert from others, see `db.alerts`; null: written by an earlier version.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        Index(None, "resolved_at", "raised_at"),
        Index(
            "uq_alerts_open",
            "digest",
            unique=True,
            postgresql_where=_STANDS,
            sqlite_where=_STANDS,
        ),
    )

    id: Mapped[int] = mapped_column(SerialKey, primary_key=True)
    raised_at: Mapped[datetime]
    kind: Mapped[str]
    severity: Mapped[str]
    line: Mapped[str | None]
    product: Mapped[str | None]
    message: Mapped[str]
    resolved_at: Mapped[datetime | None]
    source: Mapped[str | None]  # the worker it is about
    seen_at: Mapped[datetime | None]  # when that worker, or its rule, said so last
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None]
    closed_by: Mapped[str | None]
    note: Mapped[str | None]  # of who acknowledged or closed it last
    digest: Mapped[str | None]


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
    format: Mapped[int] = mapped_column(SmallInteger, server_default="1")  # of what is hashed
    os_uid: Mapped[int | None] = mapped_column(BigInteger)
    os_user: Mapped[str | None]
    database_user: Mapped[str | None]


class Lock(Base):
    """A name that one transaction at a time may lock, see `db.locks`. No role has rights to it."""

    __tablename__ = "locks"

    name: Mapped[str] = mapped_column(primary_key=True)
