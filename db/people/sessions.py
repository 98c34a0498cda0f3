"""Where people are signed in; each session can be revoked, and ends by itself."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, insert, select, update

from db.base import table_of
from db.clock import database_now
from db.session import reading
from db.tables import ConsoleSession, ConsoleUser

_SESSIONS, _USERS = table_of(ConsoleSession), table_of(ConsoleUser)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Whose session it is, and what they may do now."""

    user: str
    role: str
    since: datetime
    token_sha256: str


def sha256(token: str) -> str:
    """What the table keeps of a token (hex): who reads the table cannot use it."""
    return hashlib.sha256(token.encode()).hexdigest()


def begin(connection: Connection, user: str, *, lasts: timedelta, agent: str) -> str:
    """Sign `user` in; returns the token for the browser's cookie (256 random bits)."""
    token, now = secrets.token_urlsafe(32), database_now(connection)
    connection.execute(
        insert(_SESSIONS).values(
            token_sha256=sha256(token),
            user=user,
            created_at=now,
            expires_at=now + lasts,
            agent=agent[:200],
        )
    )
    return token


def signed_in(engine: Engine, token: str) -> SignedIn | None:
    """Whose token it is; None where it ended, was revoked, or its user is disabled."""
    with reading(engine) as connection:
        row = connection.execute(
            select(
                _SESSIONS.c.user, _USERS.c.role, _SESSIONS.c.created_at, _SESSIONS.c.token_sha256
            )
            .join(_USERS, _USERS.c.name == _SESSIONS.c.user)
            .where(
                _SESSIONS.c.token_sha256 == sha256(token),
                _SESSIONS.c.revoked_at.is_(None),
                _SESSIONS.c.expires_at > database_now(connection),
                _USERS.c.disabled_at.is_(None),
            )
        ).one_or_none()
    return None if row is None else SignedIn(*row)


def revoke(connection: Connection, token_sha256: str) -> None:
    """End a session."""
    connection.execute(
        update(_SESSIONS)
        .where(_SESSIONS.c.token_sha256 == token_sha256, _SESSIONS.c.revoked_at.is_(None))
        .values(revoked_at=database_now(connection))
    )
