"""How fast a line's pictures got their verdicts, and how fast its parts followed each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo

from sqlalchemy import Connection, Engine, select

from db.base import table_of
from db.clock import database_now
from db.reports.flow_figures import Timed, figures
from db.reports.flow_pictures import SLICES, Station, read
from db.reports.picture_range import PictureRange, refuse_unknown
from db.reports.report import Report, Row
from db.session import reading
from db.tables import Camera, Line

EACH = 40  # pictures of a camera that are looked at in each slice of the time
MOST, LEAST_EACH = 6000, 4  # pictures of all cameras; with many cameras fewer are read of each
_CAMERAS, _LINES = table_of(Camera), table_of(Line)


def flow(engine: Engine, pictures: PictureRange, timezone: tzinfo) -> Report:
    """Takt, queue age and latency by line, from the times that are stored with each picture.

    A row: `line, takt_budget_s, pictures, measured, late_share, takt_s`, and the 50th, 95th and
    99th percentile of `queue` (enqueued to verdict) and `latency` (captured to verdict), in
    seconds: see `db.reports.flow_figures`. The range is one of `decided_at`. Where a camera has
    more than `SLICES * EACH` pictures in it, it is cut into `SLICES` equal slices, and of each the
    first `EACH` are read, or fewer, so that `MOST` are read of all cameras: the report costs the
    same for a day and for a year, and for a line and for a plant. A note says so.

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
        stations = list(_stations(connection, pictures))
        each = min(EACH, max(LEAST_EACH, MOST // (SLICES * max(1, len(stations)))))
        for station, (runs, some) in read(connection, stations, edges, pictures, each):
            sampled = sampled or some
            by_line[station.line] += runs
        if not any(map(any, by_line.values())):
            refuse_unknown(connection, pictures)
        budgets = dict(connection.execute(select(_LINES.c.code, _LINES.c.takt_budget_s)).all())
    rows: list[Row] = [
        _row(line, slices, budgets.get(line))
        for line, slices in sorted(by_line.items())
        if any(slices)
    ]
    return Report(
        "flow",
        "Takt, queue and latency by line",
        tuple(rows),
        pictures.since.astimezone(timezone),
        until.astimezone(timezone),
        notes=_notes(rows, each if sampled else None),
        empty="no picture was judged in this time",
        blank=_row("", [], None),
    )


def _row(line: str, slices: Sequence[Sequence[Timed]], budget_s: float | None) -> Row:
    return {"line": line, "takt_budget_s": budget_s, **figures(slices, budget_s)}


def _notes(rows: Sequence[Row], sampled: int | None) -> tuple[str, ...]:
    notes = []
    if sampled is not None:
        notes.append(
            f"From a sample: of a camera with more than {SLICES * sampled} pictures, {SLICES} "
            f"equal slices of the time, and of each its first {sampled} pictures."
        )
    if any(row["measured"] != row["pictures"] for row in rows):
        notes.append(
            "Latency is of the pictures that are `measured`: others have no time of capture, or "
            "one that cannot be believed."
        )
    return tuple(notes)


def _stations(connection: Connection, pictures: PictureRange) -> Iterator[Station]:
    c = _CAMERAS.c
    query = select(c.line, c.code).order_by(c.line, c.code)
    names = pictures.names()
    for column, name in ((c.line, "line"), (c.code, "camera")):
        if name in names:
            query = query.where(column == names[name])
    return (Station(*row) for row in connection.execute(query).all())


def _edges(since: datetime, until: datetime) -> list[datetime]:
    step = (until - since) / SLICES
    return [*(since + number * step for number in range(SLICES)), until]
