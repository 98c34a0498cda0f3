"""Pictures by the hour with a column for each verdict: what reports about pictures count from.

On PostgreSQL old hours are kept in that form, `picture_hours`, a third of the rows of
`inspection_hourly` and a third of the time to read them. Maintenance sums up what is three days
old, and a trigger keeps that right afterwards, so that commits, whose hour is now, pay nothing. The
younger hours, and all of SQLite's, are put into the same form as they are read.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Integer,
    Subquery,
    case,
    cast,
    func,
    or_,
    select,
    text,
    union_all,
)

from db.base import table_of
from db.retention.marks import BEGINNING, marked_until
from db.session import transaction
from db.tables import InspectionHourly, PictureHour

VERDICTS = {
    "passed": "pass",
    "defects": "defect",
    "review": "review",
    "rejected": "rejected",
    "dead_letter": "dead_letter",
}
KEY = ("hour", "product", "line", "camera", "lot", "model_version")
MARK = "picture_hours"
_YOUNG, _OLD = table_of(InspectionHourly), table_of(PictureHour)
_ROLL = text("SELECT linewatch_roll_hours(:again)")


def roll_hours(engine: Engine, *, again: bool = False) -> datetime | None:
    """Sum up the hours that are old enough; returns up to when they are. None: not on SQLite.

    Args:
        again: every hour anew, as a recount does that found one wrong.
    """
    if engine.dialect.name != "postgresql":
        return None
    with transaction(engine) as connection:
        until: datetime | None = connection.scalar(_ROLL, {"again": again})
    return until


def hours(
    connection: Connection, columns: Callable[[Any], list[ColumnElement[Any]]], *where: Any
) -> Subquery:
    """Both kinds of hours as one: the columns that are asked for, and one for each verdict.

    Args:
        columns: makes labelled columns of `KEY` out of a table's.
        where: conditions, each made of a table's columns.
    """
    mark = marked_until(connection, MARK, "")
    young = select(*columns(_YOUNG.c), *(_of(*pair) for pair in VERDICTS.items()))
    young = young.where(*(make(_YOUNG.c) for make in where))
    if mark == BEGINNING:
        return young.subquery("hours")
    old = select(*columns(_OLD.c), *(_OLD.c[name] for name in VERDICTS))
    old = old.where(_OLD.c.hour < mark, *(make(_OLD.c) for make in where))
    return union_all(old, young.where(_YOUNG.c.hour >= mark)).subquery("hours")


def wrong_hours(connection: Connection) -> int:
    """How many rows of old hours are not the sum of `inspection_hourly`."""
    mark = marked_until(connection, MARK, "")
    counted = select(*(_YOUNG.c[name] for name in KEY), *(_of(*pair) for pair in VERDICTS.items()))
    kept = select(*(_OLD.c[name] for name in KEY), *((-_OLD.c[name]) for name in VERDICTS))
    both = union_all(counted.where(_YOUNG.c.hour < mark), kept).subquery()
    keys = [both.c[name] for name in KEY]
    apart = [func.sum(both.c[name]) != 0 for name in VERDICTS]
    wrong = select(*keys).group_by(*keys).having(or_(*apart)).subquery()
    return int(connection.scalar(select(func.count()).select_from(wrong)) or 0)


def _of(name: str, verdict: str) -> ColumnElement[int]:
    """In four bytes: of these PostgreSQL's sum has eight, of eight it is a decimal, and slow."""
    count = cast(_YOUNG.c.count, Integer)
    return case((_YOUNG.c.verdict == verdict, count), else_=0).label(name)
