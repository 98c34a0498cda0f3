"""The console's users."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, func, insert, select, update

from db import audit
from db.base import table_of
from db.clock import database_now
from db.people import sessions
from db.session import reading
from db.tables import ConsoleUser
from linewatch.errors import UserError

ROLES = ("viewer", "inspector", "engineer", "admin")
KEY_PREFIX = "key:"  # how the audit log calls systems; no person may be called so
_LONGEST = 100
_TABLE = table_of(ConsoleUser)


@dataclass(frozen=True, slots=True)
class User:
    """A person who may sign in, unless `disabled_at` says since when not.

    `subject` is who they are to the OpenID provider; None: unknown there.
    """

    name: str
    role: str
    password_hash: str | None
    created_at: datetime
    disabled_at: datetime | None
    subject: str | None


_COLUMNS = [_TABLE.c[name] for name in User.__slots__]


def named(engine: Engine, name: str) -> User | None:
    """The user of this name, disabled ones too."""
    with reading(engine) as connection:
        row = connection.execute(select(*_COLUMNS).where(_TABLE.c.name == name)).one_or_none()
    return None if row is None else User(*row)


def of_subject(engine: Engine, subject: str) -> User | None:
    """Who this is to the OpenID provider, disabled ones too."""
    with reading(engine) as connection:
        row = connection.execute(select(*_COLUMNS).where(_TABLE.c.subject == subject)).one_or_none()
    return None if row is None else User(*row)


def listed(engine: Engine) -> tuple[User, ...]:
    """All users, by name."""
    with reading(engine) as connection:
        return tuple(User(*row) for row in connection.execute(select(*_COLUMNS).order_by("name")))


def add(
    connection: Connection,
    name: str,
    role: str,
    *,
    password_hash: str | None,
    by: str,
    subject: str | None = None,
) -> None:
    """Let a person in.

    Raises:
        UserError: the role is none of `ROLES`, the name cannot be one, or there is such a user.
    """
    _check_role(role)
    _check_name(name)
    if connection.execute(select(_TABLE.c.name).where(_TABLE.c.name == name)).first():
        raise UserError(f"there is a user {name!r}; change that one, or choose another name")
    connection.execute(
        insert(_TABLE).values(
            name=name,
            role=role,
            password_hash=password_hash,
            created_at=database_now(connection),
            created_by=by,
            subject=subject,
        )
    )
    audit.append(connection, by, "user.add", name, {"role": role, "subject": subject})


def change(connection: Connection, name: str, *, by: str, role: str) -> None:
    """Give a person another role; their sessions have it at once.

    Raises:
        UserError: the role is none of `ROLES`, there is no such user, or nobody else is admin.
    """
    _check_role(role)
    old = _known(connection, name)
    if role != "admin":
        _keep_an_admin(connection, name)
    connection.execute(update(_TABLE).where(_TABLE.c.name == name).values(role=role))
    audit.append(connection, by, "user.role", name, {"old": old.role, "new": role})


def disable(connection: Connection, name: str, *, by: str) -> None:
    """Let a person in no more; their sessions end at once. Their deeds keep their name.

    Raises:
        UserError: there is no such user, or nobody else is admin.
    """
    old = _known(connection, name)
    _keep_an_admin(connection, name)
    now = database_now(connection)
    connection.execute(update(_TABLE).where(_TABLE.c.name == name).values(disabled_at=now))
    sessions.revoke_all(connection, name)
    audit.append(connection, by, "user.disable", name, {"old": old.disabled_at, "new": now})


def enable(connection: Connection, name: str, *, by: str) -> None:
    """Let a person in again.

    Raises:
        UserError: there is no such user.
    """
    old = _known(connection, name)
    connection.execute(update(_TABLE).where(_TABLE.c.name == name).values(disabled_at=None))
    audit.append(connection, by, "user.enable", name, {"old": old.disabled_at, "new": None})


def set_password(
    connection: Connection, name: str, password_hash: str, *, by: str, keep: str | None = None
) -> None:
    """Give a person another password; their sessions end, but for `keep` (a token's SHA-256).

    Raises:
        UserError: there is no such user.
    """
    old = _known(connection, name)
    changed = update(_TABLE).where(_TABLE.c.name == name).values(password_hash=password_hash)
    connection.execute(changed)
    sessions.revoke_all(connection, name, but=keep)
    had = "a password" if old.password_hash else None
    audit.append(connection, by, "user.password", name, {"old": had, "new": "another password"})


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise UserError(f"{role!r} is no role; use one of {', '.join(ROLES)}")


def _check_name(name: str) -> None:
    fits = 0 < len(name) <= _LONGEST and name.isprintable() and name == name.strip()
    if not fits or name.startswith(KEY_PREFIX):
        raise UserError(
            f"{name[:_LONGEST]!r} cannot be a user's name: use 1 to {_LONGEST} printable "
            f"characters, no space at either end, and no {KEY_PREFIX!r} before it"
        )


def _known(connection: Connection, name: str) -> User:
    row = connection.execute(select(*_COLUMNS).where(_TABLE.c.name == name)).one_or_none()
    if row is None:
        raise UserError(f"there is no user {name!r}; `linewatch users list` shows who there is")
    return User(*row)


def _keep_an_admin(connection: Connection, name: str) -> None:
    """Refuse to lock everybody out. Of two who end each other at once the second waits here."""
    admins = select(_TABLE.c.name).where(_TABLE.c.role == "admin", _TABLE.c.disabled_at.is_(None))
    locked = admins.order_by(_TABLE.c.name).with_for_update()
    names = set(connection.execute(locked).scalars())
    if names == {name}:
        raise UserError(f"{name!r} is the only admin; make somebody else admin first")


def count(engine: Engine) -> int:
    """How many users there are, disabled ones too."""
    with reading(engine) as connection:
        return connection.execute(select(func.count()).select_from(_TABLE)).scalar_one()
