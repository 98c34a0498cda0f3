"""What people change about receivers; each change is in the audit log."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import Connection

from db import audit
from db.outbox.entries import head, number_before
from db.session import default_engine, transaction
from linewatch.errors import ConfigurationError
from linewatch.os_user import os_user

Change = Callable[[Connection, str, str], bool]


def change(receiver: str, action: str, act: Change) -> None:
    """Change a receiver, `LINE/NAME`, and note who did.

    Raises:
        ConfigurationError: there is no such receiver.
    """
    line, _, name = receiver.rpartition("/")
    with transaction(default_engine()) as connection:
        if not act(connection, line, name):
            raise ConfigurationError(
                f"there is no receiver {receiver!r}; `linewatch outputs list` shows them"
            )
        audit.append(connection, os_user(), action, receiver, {})


def number_of(connection: Connection, line: str, after: int | None, since: str | None) -> int:
    """After which entry to begin.

    Raises:
        ConfigurationError: `since` is no time.
    """
    last = head(connection, line)
    if after is not None:
        return min(after, last)
    return last if since is None else number_before(connection, line, _instant(since))


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"{text!r} is no time; write it as 2026-11-28T06:00:00Z") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
