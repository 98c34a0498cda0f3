"""The tasks of the maintenance queue: every night what is needed ahead of time, parts of before and
a purge; every few minutes a look at the frozen control charts.
"""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task

from linewatch.settings import get_settings
from workers.config import CHARTS_TASK, MAINTENANCE_TASK

log = logging.getLogger(__name__)


@shared_task(name=MAINTENANCE_TASK, acks_late=True, ignore_result=True)
def maintenance(*_: Any) -> str:
    """Make partitions and shifts, count what an upgrade left, and purge what is old.

    In this order: what is purged must be counted before. Two at once are harmless, and so is one
    that is cut short.
    """
    from db.calendars.ahead import spans_ensured
    from db.inspections.rolled_up import roll_hours
    from db.parts.backfill import backfill
    from db.retention import partitions
    from db.session import engine_for
    from workers.retention.ended import run_ended
    from workers.retention.outbox import purge_outboxes
    from workers.retention.purge import Purge

    settings = get_settings()
    engine = engine_for(settings.sql_url)
    made: list[str] = []
    if partitions.partitioned(engine):
        ahead = settings.partition_months_ahead
        made = [f"partition {month.name} made" for month in partitions.make_ahead(engine, ahead)]
    if shifts := spans_ensured(engine, settings.timezone):
        made.append(f"{shifts} shifts made ahead")
    counted = sum(backfill(engine))
    if counted:
        made.append(f"{counted} inspections of before there were parts counted")
    roll_hours(engine)
    purged = Purge(engine, settings, by="maintenance").run()
    if told := purge_outboxes(engine, settings):
        made.append(f"{told} rows of the outbox purged")
    ended = run_ended(engine, settings, by="maintenance")
    made += [f"{one.count} {one.kind} purged" for one in ended if one.count]
    if partitions.partitioned(engine):
        partitions.analyse(engine)
    words = [f"{p.count} {p.kind} of {p.product or 'others'} purged" for p in purged if p.count]
    return "; ".join(made + words) or "nothing to do"


@shared_task(name=CHARTS_TASK, acks_late=True, ignore_result=True)
def charts(*_: Any) -> str:
    """Raise the signals of subgroups that are over, as alerts. Two at once are harmless."""
    from db.charts.watch import watch
    from db.session import engine_for

    settings = get_settings()
    raised = watch(engine_for(settings.sql_url), settings.timezone)
    return "; ".join(raised) or "no signal"
