"""Purges what is over by itself: sessions, links, and who was told of alerts."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine

from db import audit
from db.clock import database_now
from db.retention.ended import EndedKind, count_ended, purge_ended
from db.session import reading, transaction
from linewatch.settings import Settings

PAUSE_S = 0.02  # between batches: inspection goes first


@dataclass(frozen=True, slots=True)
class Ended:
    """How many rows of a kind, ended before then, went or would go."""

    kind: EndedKind
    before: datetime
    count: int


def preview_ended(engine: Engine, settings: Settings) -> list[Ended]:
    """What `run_ended` would purge."""
    before = _limit(engine, settings)
    return [Ended(kind, before, count) for kind, count in count_ended(engine, before).items()]


def run_ended(engine: Engine, settings: Settings, *, by: str) -> list[Ended]:
    """Purge it, batch by batch, with an entry in the audit log for each kind that lost rows."""
    before, size = _limit(engine, settings), settings.retention_batch
    done = []
    for kind in EndedKind:
        gone, count = 0, size
        while count == size:
            with transaction(engine) as connection:
                count = purge_ended(connection, kind, before, size)
                gone += count
                if gone and count < size:
                    detail = {"kind": str(kind), "before": before.isoformat(), "count": gone}
                    audit.append(connection, by, "retention.purge", str(kind), detail)
            time.sleep(PAUSE_S)
        done.append(Ended(kind, before, gone))
    return done


def _limit(engine: Engine, settings: Settings) -> datetime:
    with reading(engine) as connection:
        return database_now(connection) - timedelta(days=settings.retention_ended_days)
