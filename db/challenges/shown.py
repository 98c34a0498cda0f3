"""Challenges for people: how each part of a line's latest one did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, func, select

from db.base import table_of
from db.challenges.challenges import parts_of
from db.challenges.named import refuse_unknown_line
from db.challenges.outcome import found_by
from db.clock import database_now
from db.session import reading
from db.tables import Challenge, ChallengePart

_TABLE, _PARTS = table_of(Challenge), table_of(ChallengePart)


@dataclass(frozen=True, slots=True)
class ShownPart:
    """A part of a challenge; `right` None: the challenge is open and none of its pictures came."""

    product: str
    serial: str
    known: str
    pictures: int
    disposition: str
    classes: str
    right: bool | None


@dataclass(frozen=True, slots=True)
class ShownChallenge:
    """A challenge; `verified` None: it is open."""

    line: str
    started_at: datetime
    started_by: str
    ended_at: datetime | None
    verified: bool | None
    parts: tuple[ShownPart, ...]

    @property
    def state(self) -> str:
        """In a word."""
        if self.verified is None:
            return "open"
        return "verified" if self.verified else "missed"


def latest(engine: Engine, line: str | None = None) -> list[ShownChallenge]:
    """The latest challenge of a line, or of each, by line. An open one is as it stands now.

    Raises:
        ChallengeError: there is no such line.
    """
    c = _TABLE.c
    newest = select(func.max(c.id)).group_by(c.line)
    query = select(_TABLE).where(c.id.in_(newest)).order_by(c.line)
    if line is not None:
        query = query.where(c.line == line)
    with reading(engine) as connection:
        if line is not None:
            refuse_unknown_line(connection, line)
        rows = connection.execute(query).all()
        return [
            ShownChallenge(
                row.line,
                row.started_at,
                row.started_by,
                row.ended_at,
                row.verified,
                _now(connection, row.id, row.line, row.started_at, row.expires_at)
                if row.ended_at is None
                else _then(connection, row.id),
            )
            for row in rows
        ]


def _then(connection: Connection, challenge: int) -> tuple[ShownPart, ...]:
    c = _PARTS.c
    query = select(_PARTS).where(c.challenge_id == challenge).order_by(c.product, c.serial)
    return tuple(
        ShownPart(
            row.product,
            row.serial,
            row.known_class or "nonconforming",
            row.pictures or 0,
            row.disposition or "",
            row.classes or "",
            row.found,
        )
        for row in connection.execute(query)
    )


def _now(
    connection: Connection, challenge: int, line: str, since: datetime, until: datetime
) -> tuple[ShownPart, ...]:
    until = min(until, database_now(connection))
    found = found_by(connection, line, parts_of(connection, challenge), since, until)
    return tuple(
        ShownPart(
            one.part.product,
            one.part.serial,
            one.part.known_class or "nonconforming",
            one.pictures,
            str(one.outcome.disposition) if one.outcome else "",
            "+".join(one.outcome.classes) if one.outcome else "",
            one.right if one.outcome else None,
        )
        for one in found
    )
