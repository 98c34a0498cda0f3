"""Whether a line's shift was verified: whether it found known bad parts since the shift began."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from db.base import table_of
from db.tables import Challenge

_TABLE = table_of(Challenge)


class Verification(StrEnum):
    """How a line stands."""

    VERIFIED = "verified"
    MISSED = "missed"
    OPEN = "open"  # a challenge runs
    DUE = "due"  # the last one was before this shift
    NEVER = "never"  # the line never had one


class LastChallenge(NamedTuple):
    """A line's latest challenge; `verified` None: it is open."""

    started_at: datetime
    verified: bool | None


def last_challenges(connection: Connection) -> dict[str, LastChallenge]:
    """The latest challenge of each line that ever had one."""
    c = _TABLE.c
    newest = select(func.max(c.id)).group_by(c.line)
    query = select(c.line, c.started_at, c.verified).where(c.id.in_(newest))
    return {
        row.line: LastChallenge(row.started_at, row.verified) for row in connection.execute(query)
    }


def verification(last: LastChallenge | None, shift_since: datetime | None) -> Verification:
    """How a line stands, whose shift began then."""
    if last is None:
        return Verification.NEVER
    if last.verified is None:
        return Verification.OPEN
    if shift_since is None or last.started_at < shift_since:
        return Verification.DUE
    return Verification.VERIFIED if last.verified else Verification.MISSED
