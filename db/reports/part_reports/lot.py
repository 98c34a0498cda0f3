"""What a person needs to release a lot: its counts, classes, open parts, and who decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import Any

from sqlalchemy import BigInteger, Connection, Engine, cast, func, select

from db.base import table_of
from db.reports.part_reports.filters import PartFilters
from db.reports.part_reports.names import refuse_unknown
from db.reports.part_reports.past import notes_on_past
from db.reports.report import Report, Row, plain
from db.session import reading
from db.tables import Part, PartDecision, PartShiftCount
from db.tables.part import not_by_model
from linewatch.errors import ReportError
from quality.parts.pareto import pareto
from quality.parts.tally import PartTally

_COUNTS = table_of(PartShiftCount).c
_PARTS = table_of(Part).c
_DECISIONS = table_of(PartDecision).c
_KINDS = ("disposition", "classes", "decided_by", "model_version", "why")
_FLAGS = ("again", "serialised", "by_receipt")
_WITHOUT_SERIAL = "(no serial number)"


def lot_release(engine: Engine, lot: str, timezone: tzinfo, product: str | None = None) -> Report:
    """A lot's release report: a row a fact, in sections, product by product.

    `parts` of a row is how many the fact is true of, `share` their share of the whole that
    `detail` names, `low` and `high` that share's limits where it has any.

    Raises:
        ReportError: no part is of this lot.
    """
    if not lot:
        raise ReportError("say which lot; `linewatch report defect-rate --by lot` lists them")
    rows: list[Row] = []
    still_open = 0
    with reading(engine) as connection:
        for code, counts in _counts(connection, lot, product).items():
            release = _Lot(counts)
            listed = list(_open(connection, code, lot, timezone))
            people = list(_people(connection, code, lot))
            rows += [
                {"product": code, **row}
                for row in (*release.rows(), *people, *release.open_unserialised(), *listed)
            ]
            still_open += release.tally.open
        if not rows:
            refuse_unknown(connection, PartFilters(lot=lot, product=product))
        past = notes_on_past(connection, timezone)
    note = _still_open(still_open)
    empty = f"no part of lot {lot} was counted"
    title, notes = f"Release of lot {lot}", (note, *past)
    blank: Row = {"product": "", **_row("", "", 0)}
    return Report("lot", title, tuple(rows), notes=notes, empty=empty, blank=blank)


def _still_open(parts: int) -> str:
    if not parts:
        return "no part is open"
    return (
        f"{parts} parts of the lot are still open"
        if parts > 1
        else "1 part of the lot is still open"
    )


class _Lot:
    """The counts of one product's lot, a few rows, and what they add up to."""

    def __init__(self, counts: Sequence[Any]) -> None:
        self._first = [row for row in counts if not row.again]
        self._again = [row for row in counts if row.again]
        self.tally = PartTally(
            conforming=self._parts(disposition="conforming"),
            nonconforming=self._parts(disposition="nonconforming"),
            open=self._parts(disposition="open"),
            by_model=self._parts(decided_by="model"),
            by_person=self._parts(decided_by="person"),
            unserialised=self._parts(serialised=False),
            by_receipt=self._parts(by_receipt=True),
            reinspections=sum(row.parts for row in self._again),
        )

    def rows(self) -> Iterator[Row]:
        """Every section that follows from the counts."""
        tally, parts = self.tally, self.tally.parts
        yield _row("parts", "first passes", parts)
        for name in ("conforming", "nonconforming", "open"):
            yield _of(parts, "parts", name, getattr(tally, name))
        low, high = tally.interval or (None, None)
        decided = f"of {tally.decided} decided; 95 % interval"
        yield _row("parts", "defect rate", tally.nonconforming, tally.rate, low, high, decided)
        low, high = tally.band or (None, None)
        yield _row("parts", "band", tally.open, None, low, high, "open parts all good, all bad")
        for name in ("unserialised", "by_receipt"):
            yield _of(parts, "parts", name, getattr(tally, name))
        yield from self._classes()
        yield _of(parts, "decided by", "model", tally.by_model)
        yield _of(parts, "decided by", "person", tally.by_person)
        for version, count in self._by("model_version", self._first):
            yield _of(parts, "model version", version, count)
        for disposition, count in self._by("disposition", self._again):
            yield _of(tally.reinspections, "re-inspections", disposition, count)

    def open_unserialised(self) -> Iterator[Row]:
        """Open parts that have no name to list them by."""
        nameless = [r for r in self._first if r.disposition == "open" and not r.serialised]
        for why, count in self._by("why", nameless):
            yield _row("open", _WITHOUT_SERIAL, count, detail=why)

    def _classes(self) -> Iterator[Row]:
        combinations: Counter[tuple[str, ...]] = Counter()
        for row in self._first:
            if row.disposition == "nonconforming":
                combinations[tuple(row.classes.split("+"))] += row.parts
        for found in pareto(combinations):
            yield _of(self.tally.nonconforming, "class", found.name, found.parts)

    def _parts(self, **kinds: object) -> int:
        return sum(
            row.parts
            for row in self._first
            if all(getattr(row, name) == value for name, value in kinds.items())
        )

    @staticmethod
    def _by(name: str, rows: Sequence[Any]) -> list[tuple[str, int]]:
        counts: Counter[str] = Counter()
        for row in rows:
            counts[getattr(row, name)] += row.parts
        return sorted((+counts).items(), key=lambda item: (-item[1], item[0]))


def _counts(connection: Connection, lot: str, product: str | None) -> dict[str, list[Any]]:
    """The counts of the lot by product."""
    kinds = [_COUNTS[name] for name in (*_KINDS, *_FLAGS)]
    parts = cast(func.sum(_COUNTS.parts), BigInteger)  # PostgreSQL sums to a decimal number
    query = (
        select(_COUNTS.product, *kinds, parts.label("parts"))
        .where(_COUNTS.lot == lot)
        .group_by(_COUNTS.product, *kinds)
        .having(parts > 0)
    )
    if product is not None:
        query = query.where(_COUNTS.product == product)
    found: dict[str, list[Any]] = {}
    for row in connection.execute(query.order_by(_COUNTS.product)):
        found.setdefault(row.product, []).append(row)
    return found


def _open(connection: Connection, product: str, lot: str, timezone: tzinfo) -> Iterator[Row]:
    """Every open pass of a part with a serial number, oldest first."""
    query = (
        select(_PARTS.serial, _PARTS.pass_number, _PARTS.why, _PARTS.line, _PARTS.made_at)
        .where(_PARTS.product == product, _PARTS.lot == lot, _PARTS.disposition == "open")
        .where(_PARTS.counted, _PARTS.serial != "", not_by_model())
        .order_by(_PARTS.made_at, _PARTS.serial, _PARTS.pass_number)
    )
    for row in connection.execute(query):
        made = f", made {plain(row.made_at.astimezone(timezone))}" if row.made_at else ""
        detail = f"{row.why}, pass {row.pass_number}, line {row.line}{made}"
        yield _row("open", row.serial, 1, detail=detail)


def _people(connection: Connection, product: str, lot: str) -> Iterator[Row]:
    """Who decided parts of the lot by name; what labels decide is not among it."""
    of_lot = select(_PARTS.serial).where(_PARTS.product == product, _PARTS.lot == lot)
    of_lot = of_lot.where(not_by_model())
    query = (
        select(_DECISIONS.decided_by, func.count(_DECISIONS.part.distinct()))
        .where(_DECISIONS.product == product, _DECISIONS.part.in_(of_lot))
        .group_by(_DECISIONS.decided_by)
        .order_by(_DECISIONS.decided_by)
    )
    for person, parts in connection.execute(query):
        yield _row("decisions by", person, parts, detail="parts with a decision of this person")


def _of(whole: int, section: str, name: str, parts: int) -> Row:
    share = parts / whole if whole else None
    return _row(section, name, parts, share, detail=f"of {whole}")


def _row(
    section: str,
    name: str,
    parts: int,
    share: float | None = None,
    low: float | None = None,
    high: float | None = None,
    detail: str = "",
) -> Row:
    return {
        "section": section,
        "name": name,
        "parts": parts,
        "share": share,
        "low": low,
        "high": high,
        "detail": detail,
    }
