"""Purges the outbox: what every receiver has, and what nobody will be told any more."""

from __future__ import annotations

import time
from datetime import timedelta

from sqlalchemy import Engine

from db.clock import database_now
from db.outbox.purge import purge_outbox, purge_told
from db.session import reading, transaction
from linewatch.settings import Settings

PAUSE_S = 0.02  # between batches: inspection goes first


def purge_outboxes(engine: Engine, settings: Settings) -> int:
    """Purge what is over; returns how many rows of the outbox went.

    They are copies of what inspections and parts say, so nothing of it is in the audit log.
    """
    with reading(engine) as connection:
        now = database_now(connection)
    before = now - timedelta(days=settings.retention_outbox_days)
    gone, size = 0, settings.retention_batch
    count = told = size
    while size in (count, told):
        with transaction(engine) as connection:
            count = purge_outbox(connection, before, now, size) if count == size else 0
            told = purge_told(connection, before, size) if told == size else 0
        gone += count
        time.sleep(PAUSE_S)
    return gone
