"""Looks for the conditions that the rules name, and raises and ends alerts accordingly."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta

import redis
from sqlalchemy import Connection, Engine

from db.alerting import sightings
from db.alerting.conditions import Condition, settle
from db.clock import database_now
from db.reports.backlog import backlog
from db.reports.part_reports.filters import PartFilters
from db.session import transaction
from db.status.snapshot import snapshot
from linewatch.alerting.line_conditions import BACKLOG, CAMERA, UNVERIFIED, of_backlog, of_lines
from linewatch.alerting.looking_texts import LATE_MESSAGE, REDIS_AWAY, SILENT_WORKER
from linewatch.alerting.rules import Rules
from linewatch.redis_access.client import quick_client
from linewatch.settings import Settings
from producer.queue_state import QueueState, queue_state
from workers.fleet import FleetWorker

log = logging.getLogger(__name__)

WORKER, QUEUE, BROKER = "worker_silent", "queue_age", "redis_away"
KINDS = (CAMERA, WORKER, QUEUE, BACKLOG, UNVERIFIED, BROKER)


class Looker:
    """Finds what is so now.

    Args:
        ask: asks the workers; None where Redis does not answer.
        lasts: for how long a condition is taken to last after it was seen.
    """

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        rules: Rules,
        ask: Callable[[Settings], list[FleetWorker] | None],
        lasts: timedelta,
    ) -> None:
        self._engine, self._settings, self._rules = engine, settings, rules
        self._ask, self._lasts = ask, lasts

    def look(self) -> list[int]:
        """Look once; returns the numbers of the alerts that were raised."""
        settings, rules, looked = self._settings, self._rules, set(KINDS)
        silent_after = timedelta(seconds=settings.camera_silent_s)
        lines = snapshot(self._engine, settings.timezone, silent_after)
        found = list(of_lines(rules, lines, settings.timezone))
        if rules.review_backlog.on:
            waiting = backlog(self._engine, PartFilters(), settings.timezone)
            found += of_backlog(rules.review_backlog, waiting.rows)
        queue = self._queue()
        found += self._of_queue(queue)
        workers = self._ask(settings) if queue is not None else None
        if queue is None:  # nobody knows: what stands, stands
            looked.discard(QUEUE)
        if workers is None:
            looked.discard(WORKER)
        with transaction(self._engine) as connection:
            if workers is not None:
                found += self._of_workers(connection, workers)
            return settle(connection, sorted(looked), found, lasts=self._lasts)

    def _queue(self) -> QueueState | None:
        try:
            with quick_client(self._settings) as client:
                return queue_state(client)
        except redis.RedisError as error:
            log.warning("Redis does not answer: %s", error)
            return None

    def _of_queue(self, queue: QueueState | None) -> Iterator[Condition]:
        rule = self._rules.queue_age
        if queue is None:
            yield Condition(
                BROKER,
                "critical",
                REDIS_AWAY,
            )
        elif rule.on and queue.oldest_age_s is not None and queue.oldest_age_s >= rule.after_s:
            yield Condition(
                QUEUE,
                rule.severity,
                LATE_MESSAGE.format(limit=f"{rule.after_s:g}", depth=queue.depth),
            )

    def _of_workers(
        self, connection: Connection, answered: list[FleetWorker]
    ) -> Iterator[Condition]:
        """Inspect workers that answered before and do not now."""
        rule = self._rules.worker_silent
        sightings.sighted(connection, {one.name: one.device for one in answered if one.inspecting})
        now = database_now(connection)
        sightings.forget(connection, now - timedelta(hours=rule.forget_h))
        for name, at in sightings.seen(connection).items():
            if rule.on and now - at >= timedelta(seconds=rule.after_s):
                since = f"{at.astimezone(self._settings.timezone):%Y-%m-%d %H:%M:%S}"
                yield Condition(
                    WORKER,
                    rule.severity,
                    SILENT_WORKER.format(worker=name, since=since),
                    source=name,
                )
