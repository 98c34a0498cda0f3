"""What deciding open parts changes: how many are open, and the rate of the last day."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from db.base import table_of
from db.tables import PartCount, PartShiftCount
from quality.parts.disposition import By, Disposition

_SLICE = table_of(PartCount).c
_SHIFT = table_of(PartShiftCount).c


@dataclass(frozen=True, slots=True)
class Counted:
    """First passes of a product that were made since some time."""

    conforming: int = 0
    nonconforming: int = 0
    open: int = 0
    by_person: int = 0

    @property
    def rate(self) -> float | None:
        """Nonconforming parts of those that are decided."""
        decided = self.conforming + self.nonconforming
        return self.nonconforming / decided if decided else None


def counted_since(connection: Connection, product: str, since: datetime) -> Counted:
    """The first passes of a product that were made since then, to the quarter of an hour."""
    query = select(_SLICE.disposition, _SLICE.decided_by, func.sum(_SLICE.parts)).where(
        _SLICE.product == product, _SLICE.slice_at >= since, ~_SLICE.again
    )
    rows = connection.execute(query.group_by(_SLICE.disposition, _SLICE.decided_by)).all()

    def total(disposition: Disposition) -> int:
        return sum(int(parts) for what, _, parts in rows if what == disposition)

    return Counted(
        conforming=total(Disposition.CONFORMING),
        nonconforming=total(Disposition.NONCONFORMING),
        open=total(Disposition.OPEN),
        by_person=sum(int(parts) for _, by, parts in rows if by == By.PERSON),
    )


def found_since(connection: Connection, product: str, since: datetime) -> list[str]:
    """The defect classes of a product's parts in shifts that began since then, commonest first."""
    query = select(_SHIFT.classes, func.sum(_SHIFT.parts)).where(
        _SHIFT.product == product, _SHIFT.shift_at >= since, _SHIFT.classes != ""
    )
    found: Counter[str] = Counter()
    for classes, parts in connection.execute(query.group_by(_SHIFT.classes)):
        for code in classes.split("+"):
            found[code] += int(parts)
    return [code for code, parts in found.most_common() if parts > 0]
