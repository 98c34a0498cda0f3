"""Links that sign a person in once: for the first admin, a forgotten password, the demo."""

from __future__ import annotations

import secrets
from datetime import timedelta

from sqlalchemy import Connection, Engine, insert, select, update

from db import audit
from db.base import table_of
from db.clock import database_now
from db.people.sessions import sha256
from db.session import reading
from db.tables import ConsoleLink, ConsoleUser
from linewatch.errors import UserError

LASTS = timedelta(minutes=15)
_LINKS, _USERS = table_of(ConsoleLink), table_of(ConsoleUser)


def path(token: str) -> str:
    """Where in the console a link leads."""
    return f"/sign-in/link/{token}"


def make(connection: Connection, user: str, *, by: str, lasts: timedelta = LASTS) -> str:
    """A new link's token (256 random bits).

    Raises:
        UserError: there is no such user, or they are disabled.
    """
    known = select(_USERS.c.name).where(_USERS.c.name == user, _USERS.c.disabled_at.is_(None))
    if connection.execute(known).first() is None:
        raise UserError(f"there is no user {user!r} who may sign in")
    token, now = secrets.token_urlsafe(32), database_now(connection)
    row = {"token_sha256": sha256(token), "user": user, "created_at": now}
    connection.execute(insert(_LINKS).values(**row, expires_at=now + lasts))
    audit.append(connection, by, "user.link", user, {"until": now + lasts})
    return token


def whose(engine: Engine, token: str) -> str | None:
    """Whom the link signs in; None where it is none, or its time or its one use is over."""
    with reading(engine) as connection:
        query = (
            select(_LINKS.c.user)
            .join(_USERS, _USERS.c.name == _LINKS.c.user)
            .where(
                _LINKS.c.token_sha256 == sha256(token),
                _LINKS.c.used_at.is_(None),
                _LINKS.c.expires_at > database_now(connection),
                _USERS.c.disabled_at.is_(None),
            )
        )
        name: str | None = connection.execute(query).scalar()
        return name


def use(connection: Connection, token: str) -> bool:
    """Use the link up; False where somebody has, or its time is over."""
    now = database_now(connection)
    used = connection.execute(
        update(_LINKS)
        .where(
            _LINKS.c.token_sha256 == sha256(token),
            _LINKS.c.used_at.is_(None),
            _LINKS.c.expires_at > now,
        )
        .values(used_at=now)
    )
    return used.rowcount == 1
