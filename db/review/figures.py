"""What deciding open parts changes: how many are open, and the rate of the last day."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from db.base import table_of
from db.tables import PartShiftCount
from quality.parts.disposition import By, Disposition

_S = table_of(PartShiftCount).c


@dataclass(frozen=True, slots=True)
class Counted:
    """First passes of a product, in shifts that began since some time."""

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
    """The first passes of a product in shifts that began since then."""
    query = select(_S.disposition, _S.decided_by, func.sum(_S.parts)).where(
        _S.product == product, _S.shift_at >= since, ~_S.again
    )
    rows = connection.execute(query.group_by(_S.disposition, _S.decided_by)).all()

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
    query = select(_S.classes, func.sum(_S.parts)).where(
        _S.product == product, _S.shift_at >= since, _S.classes != ""
    )
    found: Counter[str] = Counter()
    for classes, parts in connection.execute(query.group_by(_S.classes)):
        for code in classes.split("+"):
            found[code] += int(parts)
    return [code for code, parts in found.most_common() if parts > 0]
