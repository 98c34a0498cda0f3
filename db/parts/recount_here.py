"""The recount on SQLite, where one transaction at a time writes and there are no functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from db.base import table_of
from db.parts.backfill_mark import backfilled_until
from db.parts.counts import FLAGS, KINDS, Key, add_counts, add_shift_counts, change
from db.parts.settle import picture_rows
from db.tables import (
    GoldenItem,
    Inspection,
    InspectionHourly,
    Label,
    Part,
    PartCount,
    PartShiftCount,
)
from quality.parts.parts import production_time

_I, _P = table_of(Inspection).c, table_of(Part).c
_KEY = ("slice_at", "shift_at", *KINDS, *FLAGS, "shift_ends_at", "shift", "plant_day")
_CHUNK = 400
_LONGEST_SHIFT = timedelta(hours=26)  # where the clock is put back in it
_ALWAYS = datetime.min.replace(tzinfo=UTC)
_Row = tuple[str, date, str, str, int, int]


class RecountHere:
    """Counts of one time; see `db.parts.recount`. PostgreSQL's is `linewatch_recount`."""

    def __init__(
        self, connection: Connection, since: datetime, until: datetime, *, everything: bool
    ) -> None:
        self._connection = connection
        self._times = (since, until)
        self._everything = everything

    def counts(self, mend: bool) -> list[_Row]:
        """Counts that are not what was found, by state, day, line and product."""
        stored, found = self._stored(PartCount, "slice_at", self._times[0]), self._found()
        floors, horizons = self._floors(), self._horizons()
        rows: Counter[tuple[Any, ...]] = Counter()
        changes: Counter[Key] = Counter()
        for key in stored.keys() | found.keys():
            missing, named = found[key] - stored[key], dict(zip(_KEY, key, strict=True))
            floor = floors.get(named["product"])
            if not missing or not (self._everything or (floor and named["shift_at"] >= floor)):
                continue
            horizon = horizons.get(named["product"])
            unknown = horizon is None or named["slice_at"] < horizon
            gone = unknown and missing < 0 and not named["serialised"]
            state = "skipped" if gone else "slices"
            changes[key] += missing if state == "slices" else 0
            _note(rows, state, named, stored[key], found[key])
        shifts = self._shifts()
        for key, (was, is_) in shifts.items():
            _note(rows, "shifts", dict(zip(_KEY, key, strict=True)), was, is_)
        if mend:
            add_counts(self._connection, changes)
            add_shift_counts(self._connection, {k: is_ - was for k, (was, is_) in shifts.items()})
        places = sorted({key[:4] for key in rows}, key=lambda one: (one[1:], one[0]))
        return [(*one, rows[(*one, "was")], rows[(*one, "is")]) for one in places]

    def _stored(self, model: Any, when: str, since: datetime) -> Counter[Key]:
        table = table_of(model)
        at = table.c[when]
        query = select(table).where(at >= since, at < self._times[1])
        return Counter(
            {
                tuple({"slice_at": row["shift_at"], **row}[name] for name in _KEY): row["parts"]
                for row in (dict(each) for each in self._connection.execute(query).mappings())
            }
        )

    def _found(self) -> Counter[Key]:
        since, until = self._times
        query = select(table_of(Part)).where(_P.counted, _P.slice_at >= since, _P.slice_at < until)
        parts = [dict(row) for row in self._connection.execute(query).mappings()]
        adopted = set(self._connection.scalars(select(_P.scope).where(_P.serial == "")))
        mark = backfilled_until(self._connection)
        columns = (_I.id, _I.made_at, _I.captured_at, _I.decided_at)
        alone = select(*columns).where(func.coalesce(_I.part, "") == "")
        ids = [
            row.id
            for row in self._connection.execute(alone)
            if str(row.id) not in adopted
            and (row.made_at is not None or row.id <= mark)
            and since
            <= (row.made_at or production_time(row.captured_at, row.decided_at)[0])
            < until
        ]
        return change([], [*parts, *picture_rows(self._connection, ids)])

    def _shifts(self) -> dict[Key, tuple[int, int]]:
        """Shifts that are not the sum of their slices: as they are, and as they should be."""
        since, until = self._times[0] - _LONGEST_SHIFT, self._times[1]
        c = table_of(PartCount).c
        query = select(table_of(PartCount)).where(c.shift_at >= since, c.shift_at < until)
        sums: Counter[Key] = Counter()
        for row in self._connection.execute(query).mappings():
            whole = {**row, "slice_at": row["shift_at"]}
            sums[tuple(whole[name] for name in _KEY)] += row["parts"]
        stored = self._stored(PartShiftCount, "shift_at", since)
        keys = stored.keys() | sums.keys()
        return {key: (stored[key], sums[key]) for key in keys if stored[key] != sums[key]}

    def _floors(self) -> Mapping[str, datetime]:
        c = table_of(PartShiftCount).c
        first = func.min(c.shift_at, type_=c.shift_at.type)
        return dict(self._connection.execute(select(c.product, first).group_by(c.product)).all())

    def _horizons(self) -> Mapping[str, datetime]:
        """By product, before which verdict pictures may be purged: none, if all are here."""
        product = func.coalesce(_I.product, "")
        first = func.min(_I.decided_at, type_=_I.decided_at.type).filter(
            func.coalesce(_I.part, "") == "",
            _I.id.not_in(select(table_of(Label).c.inspection_id)),
            _I.id.not_in(select(table_of(GoldenItem).c.inspection_id)),
        )
        hourly = table_of(InspectionHourly).c
        ever = select(hourly.product, func.sum(hourly.count)).group_by(hourly.product)
        pictures: dict[str, int] = dict(self._connection.execute(ever).all())
        query = select(product, func.count(), first).group_by(product)
        return {
            code: _ALWAYS if count >= pictures.get(code, 0) else at
            for code, count, at in self._connection.execute(query)
            if at is not None or count >= pictures.get(code, 0)
        }


def _note(
    rows: Counter[tuple[Any, ...]], state: str, named: Mapping[str, Any], was: int, is_: int
) -> None:
    place = (state, named["plant_day"], named["line"], named["product"])
    rows[(*place, "was")] += was
    rows[(*place, "is")] += is_
