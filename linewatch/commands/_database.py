"""The database that a command works on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Engine


def opened() -> Engine:
    """The engine of the database that the settings name, found to be there and up to date.

    Raises:
        DatabaseError: it does not answer, or its schema is not this version's.
    """
    from db import migrate
    from db.session import engine_for
    from linewatch.settings import get_settings

    url = get_settings().sql_url
    migrate.require(url)
    return engine_for(url)
