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
    newest = func.max(Inspection.decided_at)
    # By verdict, because that is what an index starts with: no scan, however many rows.
    queries = [select(newest).where(Inspection.verdict == str(verdict)) for verdict in Verdict]
    with reading(engine) as connection:
        found = [connection.scalar(query) for query in queries]
    return max((at for at in found if at is not None), default=None)


def verdict_totals(engine: Engine, since: datetime) -> dict[str, int]:
    """How many pictures ended how in the hours since, by the roll-up; every verdict is there."""
    query = select(InspectionHourly.verdict, func.sum(InspectionHourly.count))
    query = query.where(InspectionHourly.hour >= since)
    with reading(engine) as connection:
        found = dict(connection.execute(query.group_by(InspectionHourly.verdict)).all())
    return {str(verdict): int(found.get(str(verdict), 0)) for verdict in Verdict}
