"""How fast a line's pictures got their verdicts, and how fast its parts followed each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Engine,
    Select,
    bindparam,
    literal_column,
    select,
    union_all,
)

from db.base import table_of
from db.clock import database_now
from db.reports.flow_figures import Timed, figures
from db.reports.picture_range import PictureRange, refuse_unknown
from db.reports.report import Report, Row
from db.session import reading
from db.tables import Camera, Inspection, Line

SLICES, EACH = 25, 40  # of a camera's time, and pictures that are looked at in each
_I = table_of(Inspection).c
_CAMERAS, _LINES = table_of(Camera), table_of(Line)


class _Station(NamedTuple):
    line: str
    camera: str


def flow(engine: Engine, pictures: PictureRange, timezone: tzinfo) -> Report:
    """Takt, queue age and latency by line, from the times that are stored with each picture.

    A row: `line, takt_budget_s, pictures, measured, late_share, takt_s`, and the 50th, 95th and
    99th percentile of `queue` (enqueued to verdict) and `latency` (captured to verdict), in
    seconds: see `db.reports.flow_figures`. The range is one of `decided_at`. Where a camera has
    more than `SLICES * EACH` pictures in it, it is cut into `SLICES` equal slices, and of each the
    first `EACH` are read: the report costs the same for a day and for a year. A note says so.

    Args:
        engine: the database.
        pictures: which; `since` must be set.
        timezone: the plant's.

    Raises:
        ReportError: nothing is found, and a name that it is narrowed to does not exist.
        ValueError: `since` is None.
    """
    if pictures.since is None:
        raise ValueError("the report on flow needs a time to begin at")
    by_line: defaultdict[str, list[list[Timed]]] = defaultdict(list)
    sampled = False
    with reading(engine) as connection:
        until = pictures.until or database_now(connection)
        edges = _edges(pictures.since, until)
        for station in _stations(connection, pictures):
            runs, some = _read(connection, station, edges, pictures)
            sampled = sampled or some
            by_line[station.line] += runs
        if not any(map(any, by_line.values())):
            refuse_unknown(connection, pictures)
        budgets = dict(connection.execute(select(_LINES.c.code, _LINES.c.takt_budget_s)).all())
    rows: list[Row] = [
        {"line": line, "takt_budget_s": budgets.get(line), **figures(slices, budgets.get(line))}
        for line, slices in sorted(by_line.items())
        if any(slices)
    ]
    return Report(
        "flow",
        "Takt, queue and latency by line",
        tuple(rows),
        pictures.since.astimezone(timezone),
        until.astimezone(timezone),
        notes=_notes(rows, sampled),
        empty="no picture was judged in this time",
    )


def _notes(rows: Sequence[Row], sampled: bool) -> tuple[str, ...]:
    notes = []
    if sampled:
        notes.append(
            f"From a sample: of a camera with more than {SLICES * EACH} pictures, {SLICES} equal "
            f"slices of the time, and of each its first {EACH} pictures."
        )
    if any(row["measured"] != row["pictures"] for row in rows):
        notes.append(
            "Latency is of the pictures that are `measured`: others have no time of capture, or "
            "one that cannot be believed."
        )
    return tuple(notes)


def _stations(connection: Connection, pictures: PictureRange) -> Iterator[_Station]:
    c = _CAMERAS.c
    query = select(c.line, c.code).order_by(c.line, c.code)
    names = pictures.names()
    for column, name in ((c.line, "line"), (c.code, "camera")):
        if name in names:
            query = query.where(column == names[name])
    return (_Station(*row) for row in connection.execute(query).all())


def _edges(since: datetime, until: datetime) -> list[datetime]:
    step = (until - since) / SLICES
    return [*(since + number * step for number in range(SLICES)), until]


def _read(
    connection: Connection, station: _Station, edges: Sequence[datetime], pictures: PictureRange
) -> tuple[list[list[Timed]], bool]:
    """Runs of a camera's pictures, and whether they are a sample. The camera's index answers."""
    product = pictures.names().get("product")
    asked = station._fields if product is None else (*station._fields, "product")
    told = {**station._asdict(), "product": product}
    whole = {**told, "since_0": edges[0], "until_0": edges[-1]}
    if connection.scalar(_one_more(asked), whole) is None:
        return [[Timed(*row[:-1]) for row in connection.execute(_runs(asked, 1), whole)]], False
    cut = {f"since_{number}": edge for number, edge in enumerate(edges[:-1])}
    cut |= {f"until_{number}": edge for number, edge in enumerate(edges[1:])}
    slices: list[list[Timed]] = [[] for _ in range(SLICES)]
    for *times, number in connection.execute(_runs(asked, SLICES), {**told, **cut}):
        slices[number].append(Timed(*times))
    return slices, True


# Both are made once: to put 25 queries together costs more than to run them. `asked` are columns.
@cache
def _one_more(asked: tuple[str, ...]) -> Select[Any]:
    """Whether a camera has more pictures than are read."""
    return _of_camera(asked, 0, literal_column("1")).offset(SLICES * EACH).limit(1)


@cache
def _runs(asked: tuple[str, ...], slices: int) -> CompoundSelect[Any]:
    """The first pictures of a camera in each slice of a time, with the slice's number."""
    columns = (_I.part, _I.captured_at, _I.enqueued_at, _I.decided_at, _I.by_receipt)
    limit = SLICES * EACH // slices
    parts = (
        _of_camera(asked, number, *columns).limit(limit).subquery() for number in range(slices)
    )
    return union_all(
        *(
            select(part, literal_column(str(number)).label("slice"))
            for number, part in enumerate(parts)
        )
    )


def _of_camera(asked: tuple[str, ...], number: int, *columns: ColumnElement[Any]) -> Select[Any]:
    """A camera's pictures within the slice of that number, oldest first."""
    within = (
        _I.decided_at >= bindparam(f"since_{number}"),
        _I.decided_at < bindparam(f"until_{number}"),
    )
    named = (_I[name] == bindparam(name) for name in asked)
    return select(*columns).where(*named, *within).order_by(_I.decided_at)
