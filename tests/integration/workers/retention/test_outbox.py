"""The maintenance task purges the outbox, however much there is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from db.base import table_of
from db.outbox import cursors, told
from db.outbox.entries import PartKey
from db.outbox.facts import Told
from db.session import engine_for, reading, transaction
from db.tables import Outbox, OutboxPart
from linewatch.settings import Settings
from tests.support.outbox import committed, now_record, registered
from workers.maintenance import maintenance


@pytest.mark.usefixtures("settings")
def test_what_is_over_goes_in_batches(settings: Settings) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=8)
    engine = engine_for(settings.sql_url)
    registered(engine, "L1", "away")
    for number in range(25):
        committed(engine, now_record(part=f"P{number}"))
    keys = {
        PartKey("cable", f"P{n}", "", 1): Told(1, "conforming::", overdue=False) for n in range(25)
    }
    with transaction(engine) as connection:
        told.keep(connection, "L1", "away", keys, datetime.now(UTC))
        for table, column, older in ((Outbox, "written_at", 12), (OutboxPart, "told_at", 20)):
            c = table_of(table).c
            key = c.last if table is Outbox else c.serial
            some = select(key).order_by(key).limit(older)
            statement = update(table_of(table)).where(key.in_(some))
            connection.execute(statement.values({column: long_ago}))
    settings.retention_batch = 5
    assert "12 rows of the outbox purged" in maintenance()
    with reading(engine) as connection:
        left = [
            connection.scalar(select(func.count()).select_from(t)) for t in (Outbox, OutboxPart)
        ]
        assert left == [13, 5]
        assert cursors.cursors(connection)[0][1] == 25
