"""What the estimates of an audit are made from: parts, draws and answers, by what the model said.

A part is in the stratum of the model's own disposition, whatever people have made of it since. The
share that was wanted may have changed, so there is a pair of strata for each time it held; what was
made while none was wanted is in no stratum.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, func, select

from db.base import table_of
from db.reports.part_reports import counted
from db.reports.part_reports.filters import PartFilters
from db.reports.part_reports.period import Period
from db.tables import AuditAnswer, AuditDraw, AuditShare, Part
from quality.audit.draw import PassName
from quality.audit.sample import Said, Stratum
from quality.parts.disposition import By, Disposition
from quality.shifts.shift_calendar import quarter_hour

_DRAWS, _ANSWERS, _PARTS = table_of(AuditDraw), table_of(AuditAnswer), table_of(Part)
_KINDS = ("model_disposition", "disposition", "decided_by")
_QUARTER = timedelta(minutes=15)


@dataclass(slots=True)
class Audited:
    """A product's first passes within a range.

    Attributes:
        strata: of the parts that the model decided while a share was wanted.
        by_people: parts that the model left open and people decided, of the same times.
        bad_by_people: how many of these are nonconforming.
        uncovered: parts that the model decided while no share was wanted.
        reinspections: drawn later passes, which are in no estimate.
    """

    strata: list[Stratum] = field(default_factory=list)
    by_people: int = 0
    bad_by_people: int = 0
    uncovered: int = 0
    reinspections: int = 0

    @property
    def shares(self) -> list[float]:
        """The shares that were wanted, each once."""
        return sorted({one.share for one in self.strata})

    @property
    def drawn(self) -> int:
        """Parts in the sample."""
        return sum(one.drawn for one in self.strata)


@dataclass(frozen=True, slots=True)
class Counted:
    """First passes that ended alike: what the model said, how they ended, and who decided."""

    by_model: str
    disposition: str
    decided_by: str
    parts: int


class Counts:
    """First passes by product. Those of all products are counted at once, each period once.

    Args:
        connection: reads.
        filters: by product, line and lot; its times are not looked at.
    """

    def __init__(self, connection: Connection, filters: PartFilters) -> None:
        self._connection, self._filters = connection, filters
        self._kept: dict[tuple[object, object], dict[str, list[Counted]]] = {}

    def products(self, period: Period) -> list[str]:
        """The products that have parts in a range of whole slices, by name."""
        return sorted(self._of(period))

    def of(self, product: str, period: Period) -> list[Counted]:
        """A product's first passes in a range of whole slices."""
        return self._of(period).get(product, [])

    def _of(self, period: Period) -> dict[str, list[Counted]]:
        key = (period.since, period.until)
        if key not in self._kept:
            found: dict[str, list[Counted]] = {}
            sums = counted.numbers(
                self._connection, self._filters, period, ("product", "again", *_KINDS)
            )
            for (product, again, by_model, disposition, decided_by), parts in sums.items():
                of_product = found.setdefault(product, [])
                if not again:
                    of_product.append(Counted(by_model, disposition, decided_by, parts))
            self._kept[key] = found
        return self._kept[key]


def audited(
    connection: Connection, product: str, filters: PartFilters, period: Period, counts: Counts
) -> Audited:
    """A product's parts, draws and answers.

    Args:
        filters: by line and lot besides; its times are not looked at.
        period: the range, of whole slices.
        counts: with these filters.
    """
    mine, found = replace(filters, product=product), Audited()
    for part_of_it, share in _times(connection, product, period):
        _add(found, counts.of(product, part_of_it), share)
        if share:
            _add_drawn(connection, found, mine, part_of_it, counts.of(product, part_of_it), share)
    return found


def _add(found: Audited, counts: Sequence[Counted], share: float) -> None:
    for one in counts:
        if one.by_model != Disposition.OPEN:
            found.uncovered += 0 if share else one.parts
        elif share and one.decided_by == By.PERSON:
            found.by_people += one.parts
            found.bad_by_people += one.parts * (one.disposition == Disposition.NONCONFORMING)


def _add_drawn(
    connection: Connection,
    found: Audited,
    filters: PartFilters,
    period: Period,
    counts: Sequence[Counted],
    share: float,
) -> None:
    parts: Counter[str] = Counter()
    for one in counts:
        parts[one.by_model] += one.parts
    drawn = _drawn(connection, filters, period)
    found.reinspections += sum(n for key, (n, *_) in drawn.items() if key[0])
    for said in Said:
        of, answered, bad = drawn.get((False, said), (0, 0, 0))
        if count := max(parts[said], of):
            found.strata.append(Stratum(said, count, share, of, answered, bad))


def _times(connection: Connection, product: str, period: Period) -> Iterator[tuple[Period, float]]:
    """The period, cut where the share changed: at the next quarter hour, since slices are whole."""
    c = table_of(AuditShare).c
    query = select(c.since, c.share).where(c.product == product).order_by(c.since)
    changes = [(_next_slice(since), share) for since, share in connection.execute(query)]
    begins, share = period.since, 0.0
    for at, following in changes:
        if period.until is not None and at >= period.until:
            break
        if begins is None or at > begins:
            yield Period(begins, at), share
            begins = at
        share = following
    yield Period(begins, period.until), share


def _next_slice(instant: datetime) -> datetime:
    begins = quarter_hour(instant)
    return begins if begins == instant else begins + _QUARTER


Drawn = dict[tuple[bool, str], tuple[int, int, int]]


def _drawn(connection: Connection, filters: PartFilters, period: Period) -> Drawn:
    """Of later passes or not, and of what the model says now: drawn, answered, nonconforming."""
    keys = PassName._fields
    rank = func.row_number().over(
        partition_by=[_ANSWERS.c[name] for name in keys],
        order_by=(_ANSWERS.c.answered_at.desc(), _ANSWERS.c.id.desc()),
    )
    mine = _ANSWERS.c.product == filters.product
    ranked = select(*(_ANSWERS.c[name] for name in (*keys, "disposition")), rank.label("rank"))
    last = ranked.where(mine).subquery("last")
    same = and_(*(_PARTS.c[name] == _DRAWS.c[name] for name in keys), _PARTS.c.counted)
    told = and_(*(last.c[name] == _DRAWS.c[name] for name in keys), last.c.rank == 1)
    # A picture without a serial number has no row in parts until something happens to it.
    now = {
        name: func.coalesce(_PARTS.c[name], _DRAWS.c[name])
        for name in ("model_disposition", "line", "lot", "slice_at")
    }
    again, bad = _DRAWS.c.pass_number > 1, last.c.disposition == Disposition.NONCONFORMING
    counts = (
        func.count(),
        func.count(last.c.disposition),
        func.count().filter(bad),
    )
    where = [_DRAWS.c.product == filters.product]
    where += [now["line"] == filters.line] if filters.line is not None else []
    where += [now["lot"] == filters.lot] if filters.lot is not None else []
    where += [now["slice_at"] >= period.since] if period.since is not None else []
    where += [now["slice_at"] < period.until] if period.until is not None else []
    query = (
        select(again, now["model_disposition"], *counts)
        .select_from(_DRAWS.outerjoin(_PARTS, same).outerjoin(last, told))
        .where(*where)
        .group_by(again, now["model_disposition"])
    )
    return {(bool(row[0]), row[1]): (row[2], row[3], row[4]) for row in connection.execute(query)}
