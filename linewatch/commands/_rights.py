"""Groups of commands that a user of any database role may type."""

from __future__ import annotations

import sys
from typing import Any

import click

from linewatch.errors import DatabaseError


class RightsGroup(click.Group):
    """Says in one sentence what the database refuses to its user."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command.

        Raises:
            DatabaseError: the user has no right to what the command reads or writes.
        """
        try:
            return super().invoke(ctx)
        except Exception as error:
            if refusal := _refusal(error):
                raise DatabaseError(refusal) from error
            raise


def _refusal(error: Exception) -> str | None:
    """What was refused for want of a right; None where that is not what happened."""
    if "sqlalchemy" not in sys.modules:  # it came not so far as to ask a database
        return None
    from db.outage import denied
    from db.session import refusal
    from linewatch.settings import get_settings

    return refusal(get_settings().sql_url, error) if denied(error) else None
