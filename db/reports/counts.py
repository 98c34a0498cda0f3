"""Numbers about the whole: how many verdicts were counted, and when the last one fell."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, func, select

from db.session import reading
from db.tables import Inspection, InspectionHourly
from producer.contract import Verdict


def hourly_total(engine: Engine, product: str) -> int:
    """How many verdicts the hourly roll-up has counted for `product`."""
    query = select(func.coalesce(func.sum(InspectionHourly.count), 0))
    with reading(engine) as connection:
        return int(connection.scalar(query.where(InspectionHourly.product == product)) or 0)


def last_decided_at(engine: Engine) -> datetime | None:
    """When the newest verdict was decided."""
    at = Inspection.decided_at
    with reading(engine) as connection:
        hour = connection.scalar(select(func.max(InspectionHourly.hour)))
        if hour is None:
            return None
        # Nothing but that hour, and by verdict: what indexes of PostgreSQL and SQLite start with.
        late = Inspection.verdict.in_([str(one) for one in Verdict]) & (at >= hour)
        newest: datetime | None = connection.scalar(select(func.max(at)).where(late))
    return newest


def verdict_totals(engine: Engine, since: datetime) -> dict[str, int]:
    """How many pictures ended how in the hours since, by the roll-up; every verdict is there."""
    query = select(InspectionHourly.verdict, func.sum(InspectionHourly.count))
    query = query.where(InspectionHourly.hour >= since)
    with reading(engine) as connection:
        found = dict(connection.execute(query.group_by(InspectionHourly.verdict)).all())
    return {str(verdict): int(found.get(str(verdict), 0)) for verdict in Verdict}
