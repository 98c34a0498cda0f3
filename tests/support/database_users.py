"""PostgreSQL users of their own for a test: one in each of Linewatch's roles, gone afterwards."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, make_url, text

from db import roles
from db.session import engine_for, transaction


class Users:
    """A user in each role, `PREFIX_ROLE_user`, that really logs in."""

    def __init__(self, owner_url: str) -> None:
        self.prefix = f"lw_{secrets.token_hex(4)}"
        self.owner = engine_for(owner_url)
        self._owner_url = make_url(owner_url)

    def name(self, role: str) -> str:
        return f"{self.prefix}_{role}_user"

    def url(self, role: str) -> str:
        url = self._owner_url.set(username=self.name(role), password=self.prefix)
        return url.render_as_string(hide_password=False)

    def engine(self, role: str) -> Engine:
        return engine_for(self.url(role))

    def make(self) -> None:
        roles.apply(self.owner, self.prefix)
        with transaction(self.owner) as connection:
            for role in roles.ROLES:
                login = f"CREATE USER {self.name(role)} PASSWORD '{self.prefix}'"
                connection.execute(text(f"{login} IN ROLE {self.prefix}_{role}"))
        roles.apply(self.owner, self.prefix)  # harmless to repeat; now with the users' timeouts

    def drop(self) -> None:
        with transaction(self.owner) as connection:
            for role in roles.ROLES:
                for name in (self.name(role), f"{self.prefix}_{role}"):
                    connection.execute(text(f"DROP OWNED BY {name}"))
                    connection.execute(text(f"DROP ROLE {name}"))


@contextmanager
def database_users(owner_url: str) -> Iterator[Users]:
    """Make the roles and users; drop them at the end, whoever is still connected."""
    users = Users(owner_url)
    users.make()
    try:
        yield users
    finally:
        users.drop()
