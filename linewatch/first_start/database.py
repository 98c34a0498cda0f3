"""What `linewatch init` does to the database, where it can be reached already."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from linewatch.errors import ConfigurationError, DatabaseError
from linewatch.first_start.programs import LOGIN_FILES, LOGIN_ROLES


def login_urls(folder: Path) -> dict[str, str]:
    """Role to URL, from the files in `folder`.

    Raises:
        ConfigurationError: one of them cannot be read.
    """
    try:
        return {
            role: (folder / name).read_text(encoding="utf-8").strip()
            for role, name in zip(LOGIN_ROLES, LOGIN_FILES, strict=True)
        }
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{folder}: {error}") from None


def prepare_now(folder: Path) -> Iterator[str]:
    """Bring the plant's PostgreSQL up to date if it answers; yields what was done.

    Where it does not, or this is a machine without the SQL packages, the plant does it when it
    starts: nothing is lost.

    Raises:
        LinewatchError: it answers and refuses, or a product file is wrong.
    """
    try:
        import sqlalchemy  # noqa: F401 - whether it is there

        from db import migrate
        from linewatch.first_start.prepare import prepare
    except ImportError:
        return
    secrets = folder / "secrets"
    url = (secrets / "database_url_owner").read_text(encoding="utf-8").strip()
    try:
        migrate.current(url)
    except DatabaseError:
        return
    yield from prepare(url, logins=login_urls(secrets), products=folder / "products")
