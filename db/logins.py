"""PostgreSQL users that programs log in as, each in one of the roles of `db.roles`."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, Engine, text

from db import roles
from db.locks import lock_schema
from db.session import database_url, transaction
from linewatch.errors import ConfigurationError


def apply(engine: Engine, urls: Mapping[str, str], prefix: str = roles.PREFIX) -> list[str]:
    """Make the roles, and a user in each as its URL says; harmless to repeat.

    Args:
        engine: of the tables' owner with CREATEROLE, or a superuser.
        urls: role (see `db.roles.ROLES`) to the URL that its programs are given.
        prefix: see `db.roles.apply`.

    Returns:
        The users that were made.

    Raises:
        ConfigurationError: a URL names no user or no password.
        DatabaseError: the database is SQLite, which has no roles.
    """
    users = {role: _user(role, url) for role, url in urls.items()}
    if engine.dialect.name == "postgresql":
        with transaction(engine) as connection:
            lock_schema(connection)  # of two that start at once, GRANTs would meet in the catalogue
            for statement in roles.statements(prefix):
                connection.execute(text(statement))
            made = [
                name
                for role, (name, password) in users.items()
                if _make(connection, name, password, f"{prefix}_{role}")
            ]
            for statement in roles.limits(prefix):
                connection.execute(text(statement))
            return made
    roles.apply(engine, prefix)  # says why not
    return []


def _user(role: str, url: str) -> tuple[str, str]:
    parsed = database_url(url)
    if not parsed.username or not parsed.password:
        raise ConfigurationError(f"the database URL of {role} must name a user and a password")
    return parsed.username, str(parsed.password)


def _make(connection: Connection, name: str, password: str, role: str) -> bool:
    """Make the user or set its password; returns whether it is new."""
    known = connection.execute(
        text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": name}
    ).scalar()
    quote = connection.dialect.identifier_preparer.quote_identifier
    # DDL takes no parameters: the server quotes the password itself.
    literal = connection.execute(text("SELECT quote_literal(:word)"), {"word": password}).scalar()
    verb = "ALTER" if known else "CREATE"
    connection.exec_driver_sql(
        f"{verb} ROLE {quote(name)} LOGIN PASSWORD {literal}".replace("%", "%%")
    )
    connection.exec_driver_sql(f"GRANT {quote(role)} TO {quote(name)}")
    return not known
