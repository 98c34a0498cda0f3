"""Which pictures are a challenge's: those that say so, made while one of their line was open that
names their part. All others are ordinary production, whatever they say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Table,
    and_,
    case,
    exists,
    func,
    select,
)

from db.base import table_of
from db.inspections.records import InspectionRecord
from db.parts.pairs import of_serials
from db.session import reading
from db.tables import Challenge, ChallengePart, Inspection
from producer.contract import Purpose
from quality.parts.parts import production_time

_CHALLENGES, _PARTS = table_of(Challenge), table_of(ChallengePart)
_INSPECTIONS = table_of(Inspection)


class Shown(NamedTuple):
    """A part on a line."""

    line: str
    product: str
    serial: str


class Challenged:
    """The times in which parts were challenged, read once."""

    def __init__(self, connection: Connection, serials: Iterable[tuple[str, str]]) -> None:
        """Args:
        serials: pairs of product and serial number; a few hundred.
        """
        self._times: defaultdict[Shown, list[tuple[datetime, datetime]]] = defaultdict(list)
        wanted = list(serials)
        if not wanted:
            return
        c, p = _CHALLENGES.c, _PARTS.c
        query = select(c.line, p.product, p.serial, c.started_at, c.ended_at, c.expires_at)
        query = query.join(_PARTS, p.challenge_id == c.id)
        query = query.where(of_serials(p.product, p.serial, wanted))
        for row in connection.execute(query):
            ends = min(row.ended_at or row.expires_at, row.expires_at)
            self._times[Shown(*row[:3])].append((row.started_at, ends))

    def at(self, shown: Shown, made_at: datetime) -> bool:
        """Whether a picture of the part that says `challenge`, made then, is one."""
        return any(begins <= made_at < ends for begins, ends in self._times.get(shown, ()))


def without_challenges(
    connection: Connection, rows: Sequence[Any], made: Mapping[Any, datetime]
) -> list[Any]:
    """The rows of pictures that are production.

    Args:
        rows: with id, product, part, line and purpose.
        made: when each was made, by its id.
    """
    said = {(row.product or "", row.part) for row in rows if row.purpose == Purpose.CHALLENGE}
    if not said:
        return list(rows)
    challenged = Challenged(connection, sorted(said))
    return [
        row
        for row in rows
        if row.purpose != Purpose.CHALLENGE
        or not challenged.at(Shown(row.line or "", row.product or "", row.part), made[row.id])
    ]


def challenge_ids(engine: Engine, records: Sequence[InspectionRecord]) -> frozenset[UUID]:
    """Which of these pictures are a challenge's; costs nothing where none says that it is."""
    said = [one for one in records if one.purpose == Purpose.CHALLENGE]
    if not said:
        return frozenset()
    made = {one.id: production_time(one.captured_at, one.decided_at)[0] for one in said}
    with reading(engine) as connection:
        others = {one.id for one in without_challenges(connection, said, made)}
    return frozenset(made.keys() - others)


def is_challenge(pictures: Table = _INSPECTIONS) -> ColumnElement[bool]:
    """Whether a row of inspections is a challenge's, in SQL."""
    c, p, i = _CHALLENGES.c, _PARTS.c, pictures.c
    ends = case((c.ended_at < c.expires_at, c.ended_at), else_=c.expires_at)
    made_at = func.coalesce(i.made_at, i.decided_at)
    named = and_(p.product == i.product, p.serial == i.part, c.line == i.line)
    during = and_(c.started_at <= made_at, made_at < ends)
    names_it = exists(
        select(p.serial).join(_CHALLENGES, c.id == p.challenge_id).where(named, during)
    )
    return and_(i.purpose == Purpose.CHALLENGE, names_it)
