"""Who may use the console, from where they are signed in, and the keys of other systems."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, OptionalJson

_ROLES = "role IN ('viewer', 'inspector', 'engineer', 'admin')"


class ConsoleUser(Base):
    """A person. Never deleted, since decisions and signatures name them; disabled instead."""

    __tablename__ = "console_users"
    __table_args__ = (CheckConstraint(_ROLES, name="role"),)

    name: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]
    password_hash: Mapped[str | None]  # none: this person signs in elsewhere, or by a link
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    disabled_at: Mapped[datetime | None]
    # Who this is to the OpenID provider: "issuer subject". Names there may change hands.
    subject: Mapped[str | None] = mapped_column(unique=True)


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
    # When the person showed again who they are, at the OpenID provider, to sign something.
    confirmed_at: Mapped[datetime | None]


class ConsoleLink(Base):
    """A link that signs a person in, once; again only the SHA-256 of what stands in it."""

    __tablename__ = "console_links"

    token_sha256: Mapped[str] = mapped_column(primary_key=True)
    user: Mapped[str] = mapped_column(ForeignKey("console_users.name"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ConsoleKey(Base):
    """A key of the API for another system, or a camera's; of its secret only the SHA-256."""

    __tablename__ = "console_keys"
    __table_args__ = (CheckConstraint(_ROLES, name="role"),)

    id: Mapped[str] = mapped_column(primary_key=True)  # the part of the key that may be shown
    secret_sha256: Mapped[str]
    name: Mapped[str]  # the system's, for people and the audit log
    role: Mapped[str]
    # [[line, camera], ...], a camera of null: all of the line. None: a system's key, for all.
    scope: Mapped[list[list[str | None]] | None] = mapped_column(OptionalJson)
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]  # to some minutes
