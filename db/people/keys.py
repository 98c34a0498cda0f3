"""Keys of the API: `lw_ID_SECRET`, of which the secret's SHA-256 is kept and the id is shown."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, update

from db import audit
from db.base import table_of
from db.clock import database_now
from db.people.sessions import sha256
from db.people.users import ROLES
from db.session import reading, transaction
from db.tables import ConsoleKey
from linewatch.errors import UserError

_TABLE = table_of(ConsoleKey)
_PREFIX = "lw"
_LONGEST = timedelta(days=1100)
_NOTED_EVERY = timedelta(minutes=5)
Scope = tuple[tuple[str, str | None], ...]  # (line, camera); a camera of None: all of the line


@dataclass(frozen=True, slots=True)
class Key:
    """A key without its secret.

    Attributes:
        id: the part that is shown.
        name: the system's.
        role: what it may do.
        scope: the lines and cameras it is for; None: all, as a system's.
        created_at, created_by: when and by whom it was made.
        expires_at: when it ends.
        revoked_at: since when it has not been good; None: it is.
        used_at: when it was used last, to some minutes.
    """

    id: str
    name: str
    role: str
    scope: Scope | None
    created_at: datetime
    created_by: str
    expires_at: datetime
    revoked_at: datetime | None
    used_at: datetime | None


_COLUMNS = [_TABLE.c[name] for name in Key.__slots__]


def make(
    connection: Connection,
    name: str,
    role: str,
    *,
    lasts: timedelta,
    by: str,
    scope: Sequence[tuple[str, str | None]] | None = None,
) -> str:
    """Make a key; returns it whole, which nobody can read again.

    Raises:
        UserError: the name, role, time or scope cannot be a key's.
    """
    if role not in ROLES:
        raise UserError(f"{role!r} is no role; use one of {', '.join(ROLES)}")
    if not (0 < len(name) <= 64 and name.isprintable() and name == name.strip()):
        raise UserError("a key is named after its system, in 1 to 64 printable characters")
    if not timedelta(0) < lasts <= _LONGEST:
        raise UserError(f"a key lasts 1 to {_LONGEST.days} days")
    if scope is not None and not scope:
        raise UserError("name a line at least, or leave the scope out")
    id_, secret, now = secrets.token_hex(6), secrets.token_urlsafe(32), database_now(connection)
    connection.execute(
        insert(_TABLE).values(
            id=id_,
            secret_sha256=sha256(secret),
            name=name,
            role=role,
            scope=None if scope is None else [list(pair) for pair in scope],
            created_at=now,
            created_by=by,
            expires_at=now + lasts,
        )
    )
    detail = {"name": name, "role": role, "scope": scope, "until": now + lasts}
    audit.append(connection, by, "key.make", id_, detail)
    return f"{_PREFIX}_{id_}_{secret}"


def good(engine: Engine, key: str) -> Key | None:
    """The key, if it is one that is good now; its use is noted now and then."""
    prefix, _, rest = key.partition("_")
    id_, _, secret = rest.partition("_")
    if prefix != _PREFIX or not secret:
        return None
    with reading(engine) as connection:
        now = database_now(connection)
        row = connection.execute(
            select(*_COLUMNS, _TABLE.c.secret_sha256).where(
                _TABLE.c.id == id_, _TABLE.c.revoked_at.is_(None), _TABLE.c.expires_at > now
            )
        ).one_or_none()
    if row is None or not hmac.compare_digest(row.secret_sha256, sha256(secret)):
        return None
    if row.used_at is None or now - row.used_at > _NOTED_EVERY:
        with transaction(engine) as connection:
            noted = update(_TABLE).where(_TABLE.c.id == id_).values(used_at=now)
            connection.execute(noted)
    return _key(row[:-1])


def listed(engine: Engine, limit: int = 500) -> tuple[Key, ...]:
    """All keys, the newest first."""
    query = select(*_COLUMNS).order_by(_TABLE.c.created_at.desc(), _TABLE.c.id).limit(limit)
    with reading(engine) as connection:
        return tuple(_key(row) for row in connection.execute(query))


def revoke(connection: Connection, id_: str, *, by: str) -> None:
    """End a key.

    Raises:
        UserError: there is no such key that has not ended.
    """
    now = database_now(connection)
    ended = (
        update(_TABLE)
        .where(_TABLE.c.id == id_, _TABLE.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    if connection.execute(ended).rowcount != 1:
        raise UserError(f"there is no key {id_[:40]!r} that could be revoked")
    audit.append(connection, by, "key.revoke", id_, {"old": None, "new": now})


def _key(row: Sequence[Any]) -> Key:
    fields = dict(zip(Key.__slots__, row, strict=True))
    scope = fields.pop("scope")
    return Key(
        **fields, scope=None if scope is None else tuple((pair[0], pair[1]) for pair in scope)
    )
