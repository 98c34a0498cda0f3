"""Where people are signed in; each session can be revoked, and ends by itself."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, Update, insert, select, update

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


@dataclass(frozen=True, slots=True)
class Session:
    """A session that has not ended."""

    user: str
    created_at: datetime
    expires_at: datetime
    agent: str
    token_sha256: str


def sha256(token: str) -> str:
    """What the table keeps of a token (hex): who reads the table cannot use it."""
    return hashlib.sha256(token.encode()).hexdigest()


def begin(
    connection: Connection, user: str, *, lasts: timedelta, agent: str, confirmed: bool = False
) -> str:
    """Sign `user` in; returns the token for the browser's cookie (256 random bits).

    `confirmed`: they have just shown at the OpenID provider who they are; see `confirm`.
    """
    token, now = secrets.token_urlsafe(32), database_now(connection)
    connection.execute(
        insert(_SESSIONS).values(
            token_sha256=sha256(token),
            user=user,
            created_at=now,
            expires_at=now + lasts,
            agent=agent[:200],
            confirmed_at=now if confirmed else None,
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


def listed(engine: Engine, user: str | None = None, limit: int = 200) -> tuple[Session, ...]:
    """Sessions that have not ended, newest first: all, or a user's."""
    columns = [_SESSIONS.c[name] for name in Session.__slots__]
    with reading(engine) as connection:
        query = select(*columns).where(
            _SESSIONS.c.revoked_at.is_(None), _SESSIONS.c.expires_at > database_now(connection)
        )
        if user is not None:
            query = query.where(_SESSIONS.c.user == user)
        query = query.order_by(_SESSIONS.c.created_at.desc()).limit(limit)
        return tuple(Session(*row) for row in connection.execute(query))


def revoke(connection: Connection, token_sha256: str) -> str | None:
    """End a session; returns whose it was, None where none ended."""
    found = connection.execute(
        _ending(connection)
        .where(_SESSIONS.c.token_sha256 == token_sha256)
        .returning(_SESSIONS.c.user)
    )
    user: str | None = found.scalar()
    return user


def revoke_all(connection: Connection, user: str, *, but: str | None = None) -> None:
    """End all sessions of a user, but one."""
    ending = _ending(connection).where(_SESSIONS.c.user == user)
    if but is not None:
        ending = ending.where(_SESSIONS.c.token_sha256 != but)
    connection.execute(ending)


def confirm(connection: Connection, token_sha256: str) -> None:
    """The session's person has just shown at the OpenID provider who they are."""
    connection.execute(
        update(_SESSIONS)
        .where(_SESSIONS.c.token_sha256 == token_sha256)
        .values(confirmed_at=database_now(connection))
    )


def use_confirmation(connection: Connection, token_sha256: str, *, within: timedelta) -> bool:
    """Use up the session's confirmation; False where there is none of the last while."""
    return (
        connection.execute(
            update(_SESSIONS)
            .where(
                _SESSIONS.c.token_sha256 == token_sha256,
                _SESSIONS.c.confirmed_at > database_now(connection) - within,
            )
            .values(confirmed_at=None)
        ).rowcount
        == 1
    )


def confirmed(engine: Engine, token_sha256: str, *, within: timedelta) -> bool:
    """Whether `use_confirmation` would find one."""
    with reading(engine) as connection:
        query = select(_SESSIONS.c.user).where(
            _SESSIONS.c.token_sha256 == token_sha256,
            _SESSIONS.c.confirmed_at > database_now(connection) - within,
        )
        return connection.execute(query).first() is not None


def _ending(connection: Connection) -> Update:
    return (
        update(_SESSIONS)
        .where(_SESSIONS.c.revoked_at.is_(None))
        .values(revoked_at=database_now(connection))
    )
