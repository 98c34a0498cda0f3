"""What the page People shows."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from console.access.roles import Role
from console.page import Context, NoQuery, Page, Visit
from db.clock import database_now
from db.people import keys, sessions, users
from db.session import reading

ROLES = list(users.ROLES)


class Person(Context):
    """Somebody who may sign in, or could once."""

    name: str = Field(description="As decisions and the audit log have it.")
    role: str = Field(description="viewer, inspector, engineer or admin.")
    password: bool = Field(description="Whether they can sign in by a password.")
    provider: bool = Field(description="Whether they sign in at the OpenID provider.")
    created_at: datetime = Field(description="When they were let in.")
    disabled_at: datetime | None = Field(description="Since when they are let in no more.")


class SessionRow(Context):
    """A browser that somebody is signed in with."""

    id: str = Field(description="What revokes it; nobody can sign in with it.")
    user: str = Field(description="Whose it is.")
    created_at: datetime = Field(description="When they signed in.")
    expires_at: datetime = Field(description="When it ends by itself.")
    agent: str = Field(description="What the browser calls itself.")
    here: bool = Field(description="Whether it is the one that asks.")


class KeyRow(Context):
    """A key of the API."""

    id: str = Field(description="The part of the key that may be shown.")
    name: str = Field(description="The system's.")
    role: str = Field(description="What it may do.")
    scope: list[str] = Field(description="LINE or LINE/CAMERA that it is for; empty: all.")
    created_at: datetime = Field(description="When it was made.")
    created_by: str = Field(description="By whom.")
    expires_at: datetime = Field(description="When it ends by itself.")
    used_at: datetime | None = Field(description="When it was used last, to some minutes.")
    good: bool = Field(description="Whether it has neither ended nor been revoked.")


class People(Context):
    """Users, their sessions, and the keys of systems."""

    users: list[Person] = Field(description="All users, by name, disabled ones too.")
    sessions: list[SessionRow] = Field(description="The newest 200 that have not ended.")
    keys: list[KeyRow] = Field(description="The newest 500 keys of the API.")
    roles: list[str] = Field(description="The roles there are, each may do more than the last.")


def read(visit: Visit, query: NoQuery) -> People:
    """Everybody."""
    engine = visit.site.engine
    with reading(engine) as connection:
        now = database_now(connection)
    people = [
        Person(
            name=user.name,
            role=user.role,
            password=user.password_hash is not None,
            provider=user.subject is not None,
            created_at=user.created_at,
            disabled_at=user.disabled_at,
        )
        for user in users.listed(engine)
    ]
    return People(
        users=people,
        sessions=session_rows(visit),
        keys=[_key(key, now) for key in keys.listed(engine)],
        roles=ROLES,
    )


def session_rows(visit: Visit, user: str | None = None) -> list[SessionRow]:
    """Everybody's sessions, or a user's."""
    return [
        SessionRow(
            id=session.token_sha256,
            user=session.user,
            created_at=session.created_at,
            expires_at=session.expires_at,
            agent=session.agent,
            here=session.token_sha256 == visit.visitor.session,
        )
        for session in sessions.listed(visit.site.engine, user)
    ]


def _key(key: keys.Key, now: datetime) -> KeyRow:
    return KeyRow(
        id=key.id,
        name=key.name,
        role=key.role,
        scope=[line if camera is None else f"{line}/{camera}" for line, camera in key.scope or ()],
        created_at=key.created_at,
        created_by=key.created_by,
        expires_at=key.expires_at,
        used_at=key.used_at,
        good=key.revoked_at is None and key.expires_at > now,
    )


PAGE = Page(
    name="people",
    path="/people",
    title="People",
    role=Role.ADMIN,
    query=NoQuery,
    context=People,
    read=read,
    template="people/page.html",
    rows="users",
    menu=90,
)
