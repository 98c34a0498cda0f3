"""The pictures of cameras that a report on flow looks at: all, or some of each slice of a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    CompoundSelect,
    Connection,
    DateTime,
    Select,
    String,
    bindparam,
    column,
    func,
    literal_column,
    select,
    true,
    type_coerce,
    union_all,
)

from db.base import UTCDateTime, table_of
from db.reports.flow_figures import Timed
from db.reports.picture_range import PictureRange
from db.tables import Inspection

SLICES = 25  # of a camera's time
Runs = list[list[Timed]]
_I = table_of(Inspection).c
_TIMES = ("captured_at", "enqueued_at", "decided_at")


class Station(NamedTuple):
    """A camera of a line."""

    line: str
    camera: str


def read(
    connection: Connection,
    stations: Sequence[Station],
    edges: Sequence[datetime],
    pictures: PictureRange,
    each: int,
) -> Iterator[tuple[Station, tuple[Runs, bool]]]:
    """Runs of each camera's pictures, and whether they are a sample. The camera's index answers.

    Args:
        edges: of `SLICES` slices of the time.
        pictures: their product, where they are narrowed to one.
        each: how many are read of a slice where there are more than `SLICES * each`.
    """
    product = pictures.names().get("product")
    # One statement for all is a tenth of the work of one with 25 parts for each camera, which
    # SQLite needs: it has no LATERAL.
    together = connection.dialect.name == "postgresql"
    found = _of_all(connection, stations, edges, product, each) if together else {}
    for station in stations:
        told = {**station._asdict(), "product": product}
        asked = station._fields if product is None else (*station._fields, "product")
        if together:
            slices = found.get(station, [[] for _ in range(SLICES)])
        else:
            slices = _of_one(connection, asked, told, edges, each)
        if all(len(one) < each for one in slices):
            yield station, ([[one for run in slices for one in run]], False)
            continue
        whole = {**told, "since_0": edges[0], "until_0": edges[-1]}
        more = all(len(one) == each for one in slices) or connection.scalar(
            _one_more(asked, SLICES * each), whole
        )
        if more:
            yield station, (slices, True)
        else:
            rows = connection.execute(_runs(asked, 1, each), whole)
            yield station, ([[Timed(*row[:-1]) for row in rows]], False)


def _of_all(
    connection: Connection,
    stations: Sequence[Station],
    edges: Sequence[datetime],
    product: str | None,
    each: int,
) -> dict[Station, Runs]:
    told = {
        "lines": [one.line for one in stations],
        "cameras": [one.camera for one in stations],
        "begins": list(edges[:-1]),
        "ends": list(edges[1:]),
        "product": product,
    }
    found: dict[Station, Runs] = {}
    query = _all_runs(each, of_product=product is not None)
    for line, camera, number, *times in connection.execute(query, told):
        slices = found.setdefault(Station(line, camera), [[] for _ in range(SLICES)])
        slices[number - 1].append(Timed(*times))
    return found


def _of_one(
    connection: Connection,
    asked: tuple[str, ...],
    told: dict[str, Any],
    edges: Sequence[datetime],
    each: int,
) -> Runs:
    cut = {f"since_{number}": edge for number, edge in enumerate(edges[:-1])}
    cut |= {f"until_{number}": edge for number, edge in enumerate(edges[1:])}
    slices: Runs = [[] for _ in range(SLICES)]
    for *times, number in connection.execute(_runs(asked, SLICES, each), {**told, **cut}):
        slices[number].append(Timed(*times))
    return slices


# All are made once: to put 25 queries together costs more than to run them. `asked` are columns.
@cache
def _all_runs(each: int, *, of_product: bool) -> Select[Any]:
    """The first pictures of every camera in each slice of a time, and its number from 1."""
    of_text, of_times = ARRAY(String), ARRAY(DateTime(timezone=True))
    places = func.unnest(bindparam("lines", type_=of_text), bindparam("cameras", type_=of_text))
    place = places.table_valued(column("line", String), column("camera", String)).render_derived(
        name="place"
    )
    slices = func.unnest(bindparam("begins", type_=of_times), bindparam("ends", type_=of_times))
    slice_ = slices.table_valued(
        column("begins", UTCDateTime), column("ends", UTCDateTime), with_ordinality="number"
    ).render_derived(name="slice")
    within = [_I.decided_at >= slice_.c.begins, _I.decided_at < slice_.c.ends]
    if of_product:
        within.append(_I.product == bindparam("product"))
    first = (
        select(*_columns())
        .where(_I.line == place.c.line, _I.camera == place.c.camera, *within)
        .order_by(_I.decided_at)
        .limit(each)
        .lateral("first")
    )
    query = select(place.c.line, place.c.camera, slice_.c.number, *first.c)
    return query.select_from(place).join(slice_, true()).join(first, true())


@cache
def _one_more(asked: tuple[str, ...], most: int) -> Select[Any]:
    """1 where a camera has more pictures than `most`."""
    return _of_camera(asked, 0, literal_column("1")).offset(most).limit(1)


@cache
def _runs(asked: tuple[str, ...], slices: int, each: int) -> CompoundSelect[Any]:
    """The first pictures of a camera in each slice of a time, with the slice's number."""
    limit = SLICES * each // slices
    parts = (
        _of_camera(asked, number, *_columns()).limit(limit).subquery() for number in range(slices)
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


def _columns() -> Iterator[ColumnElement[Any]]:
    """Of `Timed`. Only differences of times are asked for, so they come as the driver has them."""
    yield _I.part
    for name in _TIMES:
        yield type_coerce(_I[name], DateTime).label(name)
    yield _I.by_receipt
