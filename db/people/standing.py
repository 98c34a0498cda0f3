"""Which sessions still stand: what long answers, such as streams, ask again and again."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Engine, select

from db.base import table_of
from db.clock import database_now
from db.session import reading
from db.tables import ConsoleSession, ConsoleUser

_SESSIONS, _USERS = table_of(ConsoleSession), table_of(ConsoleUser)


def standing(engine: Engine, tokens_sha256: Collection[str]) -> frozenset[str]:
    """Those that have not ended, were not revoked, and whose users are not disabled."""
    if not tokens_sha256:
        return frozenset()
    c = _SESSIONS.c
    with reading(engine) as connection:
        query = select(c.token_sha256).join(_USERS, _USERS.c.name == c.user)
        query = query.where(
            c.token_sha256.in_(list(tokens_sha256)),
            c.revoked_at.is_(None),
            c.expires_at > database_now(connection),
            _USERS.c.disabled_at.is_(None),
        )
        return frozenset(connection.execute(query).scalars())
