"""The recount on PostgreSQL, where functions look at pieces of the history, two at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import Connection, Engine, func, select, text

from db.base import table_of
from db.calendars.spans import lock_spans
from db.parts.recounted import Difference, Settled
from db.session import reading, transaction
from db.tables import PartCount, PartDecision
from quality.shifts.shift_calendar import quarter_hour

SESSIONS = 2  # at once: more would take from workers, who commit meanwhile
_LOOK = 5000  # suspected serial numbers that one statement looks up
_ALIVE_S = 1.0  # well below the time after which the server ends an idle transaction
# As text, since Python knows no infinite times.
_PIECES = text("SELECT first, last, begins::text, ends::text FROM linewatch_pieces()")
_SUSPECTS = text(
    "SELECT DISTINCT product, serial FROM linewatch_suspects("
    ":first, :last, CAST(:begins AS timestamptz), CAST(:ends AS timestamptz))"
)
_UNPROVEN = text(
    "SELECT product, serial FROM linewatch_unproven("
    "CAST(:products AS text[]), CAST(:serials AS text[]), :since, :until)"
)
_RESETTLE = text(
    "SELECT changed, lost, lost_days FROM linewatch_resettle(CAST(:products AS text[]),"
    " CAST(:serials AS text[]), CAST(:pictures AS uuid[]))"
)
_SLICES = text(
    "SELECT state, plant_day, line, product, counted, found"
    " FROM linewatch_recount(:since, :until, :everything, :mend)"
)
_SHIFTS = text(
    "SELECT state, plant_day, line, product, counted, found"
    " FROM linewatch_recount_shifts(:since, :until, :mend)"
)
_Given = TypeVar("_Given")
_Got = TypeVar("_Got")


class Piece(NamedTuple):
    """A part of the history: ids of pictures, and when parts were made; see linewatch_pieces."""

    first: UUID
    last: UUID
    begins: str
    ends: str


def unproven(engine: Engine, since: datetime, until: datetime) -> list[tuple[str, str]]:
    """The serial numbers with a part of that time that one look at all facts does not prove."""
    found: set[tuple[str, str]] = set()
    with reading(engine) as connection:
        pieces = [Piece(*row) for row in connection.execute(_PIECES)]
        found.update(_decided(connection))
    for serials in at_once(lambda piece: _suspects(engine, piece), pieces):
        found.update(serials)
    suspects = sorted(found)
    looks = [suspects[start : start + _LOOK] for start in range(0, len(suspects), _LOOK)]
    times = {"since": since, "until": until}
    return [
        one for some in at_once(lambda look: _looked_up(engine, look, times), looks) for one in some
    ]


def resettle(
    connection: Connection, serials: Sequence[tuple[str, str]], pictures: Sequence[UUID]
) -> Settled:
    """Settle serial numbers, and pictures without one, again."""
    row = connection.execute(_RESETTLE, {**_arrays(serials), "pictures": list(pictures)}).one()
    return Settled(row.changed, row.lost, frozenset(row.lost_days or ()))


def counts(
    engine: Engine, since: datetime, until: datetime, *, everything: bool, mend: bool
) -> list[Difference]:
    """Counts that are not what was found.

    Other recounts wait, or both would add the same difference: so does whoever makes spans.
    """
    words = {"since": since, "until": until, "mend": mend}
    slices = {**words, "everything": everything}
    with transaction(engine) as holder, ThreadPoolExecutor(SESSIONS) as pool:
        lock_spans(holder)
        middle = _middle(holder, since, until)
        jobs = [
            pool.submit(_differences, engine, _SLICES, {**slices, "until": middle}),
            pool.submit(_differences, engine, _SLICES, {**slices, "since": middle}),
            pool.submit(_differences, engine, _SHIFTS, words),
        ]
        _keep_alive(holder, jobs)
        found = [one for job in jobs for one in job.result()]
    return sorted(found, key=lambda one: (*one[1:4], one.state))


def at_once(do: Callable[[_Given], _Got], given: Iterable[_Given]) -> Iterator[_Got]:
    """What is done of each, in sessions of their own."""
    with ThreadPoolExecutor(SESSIONS) as pool:
        yield from pool.map(do, given)


def _suspects(engine: Engine, piece: Piece) -> list[tuple[str, str]]:
    with reading(engine) as connection:
        rows = connection.execute(_SUSPECTS, piece._asdict())
        return [(row.product, row.serial) for row in rows]


def _decided(connection: Connection) -> list[tuple[str, str]]:
    """Serial numbers on which people decided."""
    c = table_of(PartDecision).c
    rows = connection.execute(select(c.product, c.part).distinct())
    return [(row.product, row.part) for row in rows if row.part]


def _looked_up(
    engine: Engine, serials: Sequence[tuple[str, str]], times: dict[str, datetime]
) -> list[tuple[str, str]]:
    with reading(engine) as connection:
        rows = connection.execute(_UNPROVEN, {**_arrays(serials), **times})
        return [(row.product, row.serial) for row in rows]


def _arrays(serials: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    return {"products": [one[0] for one in serials], "serials": [one[1] for one in serials]}


def _middle(connection: Connection, since: datetime, until: datetime) -> datetime:
    """A quarter hour before which about half of the counts are."""
    c = table_of(PartCount).c
    half = func.percentile_disc(0.5).within_group(c.slice_at)
    middle: datetime | None = connection.scalar(
        select(half).where(c.slice_at >= since, c.slice_at < until)
    )
    # Not at a shift's beginning: on another line a slice may go across it.
    return quarter_hour(middle) if middle else until


def _differences(engine: Engine, query: Any, words: dict[str, object]) -> list[Difference]:
    with transaction(engine) as connection:
        return [Difference(*row) for row in connection.execute(query, words)]


def _keep_alive(connection: Connection, jobs: Sequence[Future[Any]]) -> None:
    """Say something from time to time, or the server takes this for a worker that froze."""
    while wait(jobs, timeout=_ALIVE_S).not_done:
        connection.execute(select(1))
