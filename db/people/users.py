"""The console's users."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, insert, select, update

from db import audit
from db.base import table_of
from db.clock import database_now
from db.session import reading
from db.tables import ConsoleUser
from linewatch.errors import UserError

ROLES = ("viewer", "inspector", "engineer", "admin")
_TABLE = table_of(ConsoleUser)


@dataclass(frozen=True, slots=True)
class User:
    """A person who may sign in, unless `disabled_at` says since when not."""

    name: str
    role: str
    password_hash: str | None
    created_at: datetime
    disabled_at: datetime | None


_COLUMNS = [_TABLE.c[name] for name in User.__slots__]


def named(engine: Engine, name: str) -> User | None:
    """The user of this name, disabled ones too."""
    with reading(engine) as connection:
        row = connection.execute(select(*_COLUMNS).where(_TABLE.c.name == name)).one_or_none()
    return None if row is None else User(*row)


def listed(engine: Engine) -> tuple[User, ...]:
    """All users, by name."""
    with reading(engine) as connection:
        return tuple(User(*row) for row in connection.execute(select(*_COLUMNS).order_by("name")))


def add(
    connection: Connection, name: str, role: str, *, password_hash: str | None, by: str
) -> None:
    """Let a person in.

    Raises:
        UserError: the role is none of `ROLES`, or there is a user of this name.
    """
    if role not in ROLES:
        raise UserError(f"{role!r} is no role; use one of {', '.join(ROLES)}")
    if connection.execute(select(_TABLE.c.name).where(_TABLE.c.name == name)).first():
        raise UserError(f"there is a user {name!r}; change that one, or choose another name")
    connection.execute(
        insert(_TABLE).values(
            name=name,
            role=role,
            password_hash=password_hash,
            created_at=database_now(connection),
            created_by=by,
        )
    )
    audit.append(connection, by, "user.add", name, {"role": role})


def change(connection: Connection, name: str, *, by: str, role: str) -> None:
    """Give a person another role; their sessions have it at once.

    Raises:
        UserError: the role is none of `ROLES`, or there is no such user.
    """
    if role not in ROLES:
        raise UserError(f"{role!r} is no role; use one of {', '.join(ROLES)}")
    old = connection.execute(select(_TABLE.c.role).where(_TABLE.c.name == name)).scalar()
    if old is None:
        raise UserError(f"there is no user {name!r}")
    connection.execute(update(_TABLE).where(_TABLE.c.name == name).values(role=role))
    audit.append(connection, by, "user.role", name, {"old": old, "new": role})
