"""Moves what is counted of a plant day into the shifts that hold now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, text, update

from db.base import table_of
from db.calendars.spans import within
from db.parts.backfill_mark import backfilled_until
from db.parts.counts import FLAGS, KINDS
from db.parts.settle import Serial, picture_rows, settle
from db.parts.slices import Slice, Slices
from db.tables import (
    Inspection,
    Part,
    PartCount,
    PartShiftCount,
    Product,
    ShiftCalendar,
)
from linewatch.calendar_spec import PLANT
from quality.parts.parts import production_time
from quality.shifts.shift_calendar import ShiftInstance, quarter_hour

_IN_THE_SERVER = text("SELECT moved, inexact FROM linewatch_move_shifts(:line, :since, :until)")
_PARTS, _COUNTS, _SHIFTS = table_of(Part), table_of(PartCount), table_of(PartShiftCount)
_QUARTER = timedelta(minutes=15)
_LONGEST_SHIFT = timedelta(hours=26)  # where the clock is put back in it
_LATEST_VERDICT = timedelta(days=32)
_EARLIEST_VERDICT = timedelta(hours=1)  # of a camera whose clock is ahead

Kind = tuple[Any, ...]  # what a part is counted as, but for when it was made
Counts = Counter[tuple[Kind, datetime]]  # parts by kind and slice
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Window:
    """A day of a line, or of all that have no calendar; from quarter hour to quarter hour."""

    line: str
    day: date
    since: datetime
    until: datetime


def move_shifts(connection: Connection, window: Window) -> tuple[int, bool]:
    """Count the parts of a window by the spans as they are now.

    Returns:
        How many are in another slice, and whether quarter hours in which a shift begins could not
        be split, since their pictures are purged; see `linewatch_move_shifts`.
    """
    if connection.dialect.name == "postgresql":
        times = {"line": window.line, "since": window.since, "until": window.until}
        moved, inexact = connection.execute(_IN_THE_SERVER, times).one()
        return int(moved), bool(inexact)
    return _Mover(connection, window).move()


class _Mover:
    """The same as the server's function, on SQLite, where nobody else writes meanwhile."""

    def __init__(self, connection: Connection, window: Window) -> None:
        self._connection = connection
        self._window = window
        self._slices = Slices(connection)
        own = select(ShiftCalendar.line).where(ShiftCalendar.line != PLANT)
        self._own = set(connection.scalars(own))
        self._spans = within(connection, window.line, window.since, window.until)

    def move(self) -> tuple[int, bool]:
        self._settle_dated()
        rows = self._rows()
        stored = self._select(_COUNTS, _COUNTS.c.slice_at)
        counts: Counts = Counter()
        for row in stored:
            counts[_kind(row), row["slice_at"]] += row["parts"]
        rest = counts.copy()
        rest.subtract((_kind_of(row), row["slice_at"]) for row in rows if row["counted"])
        moves, inexact = self._rest_moves(rest, stored)
        for row in rows:
            new, was = self._slice(row), (_kind_of(row), row["slice_at"])
            if row["counted"] and was in counts:  # not so after a purge of counts
                moves[was] -= 1
                moves[was[0], new.slice_at] += 1
            self._write_row(row, new)
        counts.update(moves)
        self._write_counts(counts)
        return sum(parts for parts in moves.values() if parts > 0), inexact

    def _rest_moves(self, rest: Counts, stored: Iterable[Row]) -> tuple[Counts, bool]:
        """What is counted without a row: by whole slices, or as its pictures say."""
        straddled = {
            (_kind(row), quarter_hour(row["slice_at"]))
            for row in stored
            if rest[_kind(row), row["slice_at"]]
            and self._begins_within(row["slice_at"], row["shift_ends_at"])
        }
        facts = self._facts({(kind[0], quarter) for kind, quarter in straddled})
        sums: Counter[tuple[Kind, datetime]] = Counter()
        for counts, sign in ((rest, 1), (facts, -1)):
            for (kind, slice_at), parts in counts.items():
                sums[kind, quarter_hour(slice_at)] += sign * parts
        known = {key for key in straddled if not sums[key]}
        there = {(_kind(row), row["slice_at"]) for row in stored}
        moves: Counts = Counter()
        for (kind, slice_at), parts in rest.items():
            if (kind, quarter_hour(slice_at)) in known:
                moves[kind, slice_at] -= parts
            elif (kind, slice_at) in there:
                moves[kind, slice_at] -= parts
                moves[kind, self._slices.of(kind[0], slice_at).slice_at] += parts
        for (kind, slice_at), parts in facts.items():
            if (kind, quarter_hour(slice_at)) in known:
                moves[kind, slice_at] += parts
        return moves, straddled != known

    def _facts(self, quarters: Collection[tuple[str, datetime]]) -> Counts:
        """Pictures without a serial number and without a row, of some quarter hours of lines."""
        ids: list[UUID] = []
        counted = backfilled_until(self._connection)
        c = table_of(Inspection).c
        columns = (c.id, c.made_at, c.captured_at, c.decided_at)
        for line, quarter in quarters:
            query = select(*columns).where(
                func.coalesce(c.line, "") == line,
                func.coalesce(c.part, "") == "",
                c.decided_at >= quarter - _EARLIEST_VERDICT,
                c.decided_at < quarter + _LATEST_VERDICT,
            )
            for row in self._connection.execute(query):
                if row.made_at is None and row.id > counted:
                    continue
                made_at = row.made_at or production_time(row.captured_at, row.decided_at)[0]
                if quarter_hour(made_at) == quarter:
                    ids.append(row.id)
        adopted = select(_PARTS.c.scope).where(_PARTS.c.serial == "")
        there = set(self._connection.scalars(adopted)) if ids else set()
        rows = picture_rows(self._connection, [id_ for id_ in ids if str(id_) not in there])
        return Counter((_kind_of(row), row["slice_at"]) for row in rows)

    def _begins_within(self, slice_at: datetime, shift_ends_at: datetime) -> bool:
        ends = min(quarter_hour(slice_at) + _QUARTER, shift_ends_at)
        return any(slice_at < span.starts < ends for span in self._spans)

    def _settle_dated(self) -> None:
        """Where a serial number is of its day, another day makes it another part."""
        dated = {
            code
            for code, options in self._connection.execute(select(Product.code, Product.options))
            if (options or {}).get("serial_unique_within") == "day"
        }
        settle(
            self._connection,
            {
                Serial(row["product"], row["serial"])
                for row in self._rows()
                if row["product"] in dated and row["serial"] and _moves(row, self._slice(row))
            },
        )

    def _rows(self) -> list[Row]:
        return self._select(_PARTS, _PARTS.c.made_at)

    def _select(self, table: Any, when: ColumnElement[datetime]) -> list[Row]:
        times = (when >= self._window.since, when < self._window.until)
        rows = self._connection.execute(select(table).where(*times, self._mine(table))).mappings()
        return [dict(row) for row in rows]

    def _mine(self, table: Any) -> ColumnElement[bool]:
        line: ColumnElement[str] = table.c.line
        return line.not_in(self._own) if self._window.line == PLANT else line == self._window.line

    def _slice(self, row: Row) -> Slice:
        return self._slices.of(row["line"], row["made_at"])

    def _write_row(self, row: Row, new: Slice) -> None:
        if _moves(row, new):
            key = [column == row[column.name] for column in _PARTS.primary_key.columns]
            self._connection.execute(update(_PARTS).where(*key).values(**new._asdict()))

    def _write_counts(self, counts: Counts) -> None:
        """The window's slices, then the shifts that they are of: each is the sum of its slices."""
        c = _COUNTS.c
        times = (c.slice_at >= self._window.since, c.slice_at < self._window.until)
        self._connection.execute(delete(_COUNTS).where(*times, self._mine(_COUNTS)))
        rows = [
            {
                **dict(zip((*KINDS, *FLAGS), kind, strict=True)),
                **self._slices.of(kind[0], slice_at)._asdict(),
                "slice_at": slice_at,
                "parts": parts,
            }
            for (kind, slice_at), parts in counts.items()
            if parts
        ]
        if rows:
            self._connection.execute(insert(_COUNTS), rows)
        # Also those of a day before: a shift that began there under the calendar of before is gone,
        # and who changed a part of it since has taken the part away from there.
        since, until = self._window.since - _LONGEST_SHIFT, self._window.until
        for span in within(self._connection, self._window.line, since, until):
            self._write_shift(span)

    def _write_shift(self, span: ShiftInstance) -> None:
        c, s = _COUNTS.c, _SHIFTS.c
        old = (s.shift_at >= span.starts, s.shift_at < span.ends, self._mine(_SHIFTS))
        self._connection.execute(delete(_SHIFTS).where(*old))
        by = [c[name] for name in (*KINDS, *FLAGS)]
        mine = (c.slice_at >= span.starts, c.slice_at < span.ends, self._mine(_COUNTS))
        sums = select(*by, func.sum(c.parts)).where(*mine).group_by(*by)
        rows = [
            {
                **dict(zip((*KINDS, *FLAGS), kind, strict=True)),
                "shift_at": span.starts,
                "shift_ends_at": span.ends,
                "shift": span.name,
                "plant_day": span.day,
                "parts": parts,
            }
            for *kind, parts in self._connection.execute(sums)
        ]
        if rows:
            self._connection.execute(insert(_SHIFTS), rows)


def _moves(row: Row, new: Slice) -> bool:
    return any(row[name] != value for name, value in new._asdict().items())


def _kind(row: Row) -> Kind:
    return tuple(row[name] for name in (*KINDS, *FLAGS))


def _kind_of(row: Row) -> Kind:
    """Of a row of `parts`."""
    return _kind({**row, "again": row["pass_number"] > 1, "serialised": row["serial"] != ""})
