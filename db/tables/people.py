"""Who may use the console, and from where they are signed in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base


class ConsoleUser(Base):
    """A person. Never deleted, since decisions and signatures name them; disabled instead."""

    __tablename__ = "console_users"
    __table_args__ = (
        CheckConstraint("role IN ('viewer', 'inspector', 'engineer', 'admin')", name="role"),
    )

    name: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]
    password_hash: Mapped[str | None]  # none: this person signs in elsewhere, or by a link
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    disabled_at: Mapped[datetime | None]


class ConsoleSession(Base):
    """A browser that a person signed in with; the table knows the token's SHA-256 alone."""

    __tablename__ = "console_sessions"
    __table_args__ = (Index(None, "user"), Index(None, "expires_at"))

    token_sha256: Mapped[str] = mapped_column(primary_key=True)
    user: Mapped[str] = mapped_column(ForeignKey("console_users.name"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    agent: Mapped[str]  # what the browser calls itself
