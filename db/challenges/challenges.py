"""Holding a challenge: its start, its end, and what it says of the line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, select, update
from sqlalchemy.exc import IntegrityError

from db import alerts, audit
from db.base import table_of
from db.challenges.named import known_parts, refuse_unknown_line
from db.challenges.outcome import Found, KnownPart, found_by
from db.challenges.strays import STRAY
from db.clock import database_now
from db.parts.settle import Serial, settle
from db.session import reading
from db.storable_text import storable
from db.tables import Challenge, ChallengePart
from linewatch.errors import ChallengeError

MISSED = "challenge_missed"
NOT_PASSED = (
    "{line}: the challenge of {began} was not passed: {why}; hold what the line has passed since "
    "the last challenge, and see `linewatch challenge show {line}`"
)
_TABLE, _PARTS = table_of(Challenge), table_of(ChallengePart)
_SHOWN = 5
_MOST_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class Ended:
    """A challenge that is over."""

    line: str
    started_at: datetime
    found: tuple[Found, ...]

    @property
    def verified(self) -> bool:
        """Whether every part was told right."""
        return all(one.right for one in self.found)

    @property
    def message(self) -> str:
        """What was not told right, for people."""
        wrong = [one.words for one in self.found if not one.right]
        more = [f"… and {len(wrong) - _SHOWN} more"] if len(wrong) > _SHOWN else []
        began, why = f"{self.started_at:%Y-%m-%d %H:%M} UTC", "; ".join([*wrong[:_SHOWN], *more])
        return NOT_PASSED.format(line=self.line, began=began, why=why)


def start(
    connection: Connection,
    line: str,
    parts: Sequence[tuple[str, str, str]],
    *,
    minutes: float,
    by: str,
) -> list[KnownPart]:
    """Open a challenge of a line.

    Args:
        parts: product, serial number and class of each; class '' where it is only known that it is
            nonconforming.
        minutes: after which it ends by itself; a day at most.

    Raises:
        ChallengeError: no such line, no part, a part twice or without a serial number, a time that
            there cannot be, or a challenge of the line is open.
        UnknownProductError: a product is not registered.
        LabelError: a product has no such class.
    """
    refuse_unknown_line(connection, line)
    if not 0 < minutes <= _MOST_MINUTES:  # nor NaN
        raise ChallengeError(
            f"a challenge lasts more than 0 minutes, {_MOST_MINUTES} at most; it cannot last "
            f"{minutes:g}"
        )
    known = known_parts(connection, parts)
    now = database_now(connection)
    end_due(connection, line)
    row = {"line": line, "started_at": now, "started_by": storable(by, 200)}
    row |= {"expires_at": now + timedelta(minutes=minutes)}
    try:
        with connection.begin_nested():
            made = connection.execute(_TABLE.insert().values(**row).returning(_TABLE.c.id))
            number = made.scalar_one()
    except IntegrityError:
        raise ChallengeError(
            f"line {line} has a challenge already; end it with `linewatch challenge end {line}`"
        ) from None
    named = [
        {
            "challenge_id": number,
            "product": one.product,
            "serial": one.serial,
            "known_class": one.known_class,
            "known_good": one.good,
        }
        for one in known
    ]
    connection.execute(_PARTS.insert(), named)
    alerts.resolve(connection, kind=STRAY, line=line)
    _settle(connection, known)
    detail = {"challenge": number, "parts": len(known), "minutes": minutes}
    audit.append(connection, by, "challenge.start", line, detail)
    return known


def end(connection: Connection, line: str, *, by: str) -> Ended:
    """End the challenge of a line.

    Raises:
        ChallengeError: no challenge of the line is open.
    """
    refuse_unknown_line(connection, line)
    row = connection.execute(_open().where(_TABLE.c.line == line).with_for_update()).one_or_none()
    if row is None:
        raise ChallengeError(
            f"line {line} has no challenge; start one with `linewatch challenge start {line} "
            "--part SERIAL`"
        )
    ended = _end(connection, row, database_now(connection), by)
    _settle(connection, [one.part for one in ended.found])
    detail = {"challenge": row.id, "verified": ended.verified}
    audit.append(connection, by, "challenge.end", line, detail)
    return ended


def due(engine: Engine) -> bool:
    """Whether the time of an open challenge is over."""
    with reading(engine) as connection:
        late = _TABLE.c.expires_at <= database_now(connection)
        return connection.execute(_open().where(late).limit(1)).first() is not None


def end_due(connection: Connection, line: str | None = None) -> list[Ended]:
    """End the challenges whose time is over; two who do it at once are harmless."""
    now = database_now(connection)
    query = _open().where(_TABLE.c.expires_at <= now).order_by(_TABLE.c.id)
    if line is not None:
        query = query.where(_TABLE.c.line == line)
    due = connection.execute(query.with_for_update(skip_locked=True)).all()
    return [_end(connection, row, now, "") for row in due]


def parts_of(connection: Connection, challenge: int) -> list[KnownPart]:
    """The parts that a challenge names, by product and serial number."""
    c = _PARTS.c
    query = select(c.product, c.serial, c.known_class, c.known_good)
    query = query.where(c.challenge_id == challenge).order_by(c.product, c.serial)
    return [KnownPart(*row) for row in connection.execute(query)]


def _open() -> Any:
    c = _TABLE.c
    return select(c.id, c.line, c.started_at, c.expires_at).where(c.ended_at.is_(None))


def _end(connection: Connection, row: Row[Any], now: datetime, by: str) -> Ended:
    until = min(now, row.expires_at)
    parts = parts_of(connection, row.id)
    found = found_by(connection, row.line, parts, row.started_at, until)
    ended = Ended(row.line, row.started_at, tuple(found))
    for one in found:
        said = one.outcome
        where = [_PARTS.c.challenge_id == row.id, _PARTS.c.product == one.part.product]
        connection.execute(
            update(_PARTS)
            .where(*where, _PARTS.c.serial == one.part.serial)
            .values(
                pictures=one.pictures,
                disposition="" if said is None else str(said.disposition),
                classes="" if said is None else "+".join(said.classes),
                found=one.right,
            )
        )
    values = {"ended_at": until, "ended_by": storable(by, 200), "verified": ended.verified}
    connection.execute(update(_TABLE).where(_TABLE.c.id == row.id).values(**values))
    alerts.resolve(connection, kind=MISSED, line=row.line)
    if not ended.verified:
        alerts.raise_alert(
            connection, kind=MISSED, severity="critical", message=ended.message, line=row.line
        )
    return ended


def _settle(connection: Connection, parts: Sequence[KnownPart]) -> None:
    """Pictures that came before or will be outside now count otherwise."""
    settle(connection, [Serial(one.product, one.serial) for one in parts])
