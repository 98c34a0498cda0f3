"""The nightly maintenance task: partitions ahead of time, then a purge of what is old."""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task

from linewatch.settings import get_settings
from workers.config import MAINTENANCE_TASK

log = logging.getLogger(__name__)


@shared_task(name=MAINTENANCE_TASK, acks_late=True, ignore_result=True)
def maintenance(*_: Any) -> str:
    """Make partitions and purge; two at once are harmless, and so is one that is cut short."""
    from db import partitions
    from db.session import engine_for
    from workers.purging import Purge

    settings = get_settings()
    engine = engine_for(settings.sql_url)
    made: list[str] = []
    if partitions.partitioned(engine):
        ahead = settings.partition_months_ahead
        made = [f"partition {month.name} made" for month in partitions.make_ahead(engine, ahead)]
    purged = Purge(engine, settings, by="maintenance").run()
    words = [f"{p.count} {p.kind} of {p.product or 'others'} purged" for p in purged if p.count]
    return "; ".join(made + words) or "nothing to do"
