"""A line that had a calendar of its own follows the plant's again.

First it gets exactly the plant's shifts, and what was made since they differed is counted anew by
them, as after any import (`db.calendars.recount`). Then its own are forgotten: whoever counts finds
the same shifts before and after.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Select, delete, func, insert, literal, select

from db import audit
from db.base import table_of
from db.calendars.imports import Change
from db.calendars.spans import lock_spans
from db.calendars.stored import Stored, store, stored
from db.tables import ShiftCalendar, ShiftSpan
from linewatch.calendar_spec import PLANT, CalendarSpec
from linewatch.errors import CalendarError

_SPANS, _CALENDARS = table_of(ShiftSpan), table_of(ShiftCalendar)
_SAID = [column for column in _SPANS.columns if column.name != "line"]


def given_the_plants(connection: Connection, line: str, *, by: str) -> list[Change]:
    """Put the plant's shifts in the place of a line's own.

    Returns:
        Since when what was made is to be counted anew; none, where they never differed.

    Raises:
        CalendarError: the line has no calendar of its own.
    """
    lock_spans(connection)
    now_stored = stored(connection)
    _require_own(now_stored, line)
    since = _differ_since(connection, line)
    connection.execute(delete(_SPANS).where(_SPANS.c.line == line))
    copied = select(literal(line), *_SAID).where(_SPANS.c.line == PLANT)
    names = ["line", *(column.name for column in _SAID)]
    connection.execute(insert(_SPANS).from_select(names, copied))
    connection.execute(delete(_CALENDARS).where(_CALENDARS.c.line == line))
    store(connection, line, now_stored[PLANT], by=by)
    return [] if since is None else [Change(line, since)]


def released(connection: Connection, line: str, *, by: str) -> None:
    """Forget a line's own calendars and shifts, once they are the plant's; audited.

    Raises:
        CalendarError: they are not, since somebody imported others meanwhile.
    """
    lock_spans(connection)
    now_stored = stored(connection)
    _require_own(now_stored, line)
    same = _said(now_stored[line]) == _said(now_stored[PLANT])
    if not same or _differ_since(connection, line) is not None:
        raise CalendarError(
            f"somebody imported a calendar while line {line!r} was counted anew, so it keeps its "
            "own; release it again"
        )
    connection.execute(delete(_CALENDARS).where(_CALENDARS.c.line == line))
    connection.execute(delete(_SPANS).where(_SPANS.c.line == line))
    audit.append(connection, by, "shifts.release", line, {})


def _require_own(now_stored: Stored, line: str) -> None:
    if line == PLANT or line not in now_stored:
        raise CalendarError(f"line {line!r} has no shifts of its own: it follows the plant's")


def _differ_since(connection: Connection, line: str) -> datetime | None:
    """When the first shift begins that only the line has, or only the plant."""
    mine, plants = _of(line), _of(PLANT)
    firsts = []
    for one, other in ((mine, plants), (plants, mine)):
        apart = one.except_(other).subquery()
        at = apart.c.starts_at
        firsts.append(connection.scalar(select(func.min(at, type_=at.type))))
    return min((first for first in firsts if first is not None), default=None)


def _of(line: str) -> Select[tuple[object, ...]]:
    return select(*_SAID).where(_SPANS.c.line == line)


def _said(specs: Sequence[CalendarSpec]) -> list[dict[str, object]]:
    return [spec.model_dump(mode="json", exclude={"lines"}) for spec in specs]
