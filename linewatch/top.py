"""What `linewatch top` shows: the queue, the verdicts, the alarms, and what the workers do."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import redis
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from linewatch.doctor.worker_figures import Stage, WorkerFigures, stages_of
from linewatch.plain_text import visible
from linewatch.redis_access.client import redis_client
from linewatch.redis_access.keys import HELD
from linewatch.settings import Settings
from producer.queue_state import QueueState, queue_state

_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Sample:
    """What was seen at one moment; None where nothing answered. Workers are known by their URL."""

    at: float
    queue: QueueState | None
    leases: int | None
    verdicts: Mapping[str, int] | None
    alarms: Sequence[str] = ()
    workers: Mapping[str, WorkerFigures] = field(default_factory=dict)
    troubles: Sequence[str] = ()


def look(settings: Settings, urls: Sequence[str]) -> Sample:
    """Ask Redis, the database and the metrics endpoints; what does not answer is a trouble."""
    from sqlalchemy.exc import SQLAlchemyError

    from db.alerts import open_alerts
    from db.reports.counts import verdict_totals
    from db.session import engine_for

    troubles = []
    queue = leases = verdicts = None
    alarms: list[str] = []
    try:
        with redis_client(settings, socket_timeout=_TIMEOUT_S) as client:
            queue, leases = queue_state(client), int(client.hlen(HELD))
    except redis.RedisError as error:
        troubles.append(f"Redis: {error}")
    try:
        engine = engine_for(settings.sql_url)
        verdicts = verdict_totals(engine, datetime.now(UTC) - timedelta(days=1))
        alarms = [alert.message for alert in open_alerts(engine)]
    except SQLAlchemyError as error:
        troubles.append(f"database: {str(error).splitlines()[0]}")
    workers = {}
    for url in urls:
        try:
            with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as reply:  # noqa: S310
                workers[url] = WorkerFigures.parse(reply.read().decode())
        except (urllib.error.URLError, OSError, ValueError) as error:
            troubles.append(f"{url}: {error}")
    return Sample(time.monotonic(), queue, leases, verdicts, alarms, workers, troubles)


def screen(now: Sample, before: Sample | None) -> RenderableType:
    """The picture of one moment; rates are those since `before`."""
    elapsed = 0.0 if before is None else now.at - before.at
    table = Table(box=None, show_header=False, pad_edge=False)
    if now.queue is not None:
        age = "–" if now.queue.oldest_age_s is None else f"{now.queue.oldest_age_s:.1f} s"
        table.add_row("queue", f"{now.queue.depth} messages, the oldest {age}")
        table.add_row("held", f"{now.leases} messages with workers")
    if now.workers:
        table.add_row("pictures in flight", f"{sum(_gauges(now, 'in_flight')):.0f}")
    if suspects := _gauges(now, "suspects"):  # each worker counts those of all
        table.add_row("suspects", f"{max(suspects):.0f}")
    if any(_gauges(now, "holding")):
        table.add_row("holding", "[yellow]the database is away; verdicts are held[/]")
    if 0.0 in _gauges(now, "taking"):
        table.add_row("idle", "[yellow]a worker can load no champion, and takes nothing[/]")
    if any(_gauges(now, "share_hangs")):
        table.add_row("share", "[yellow]no picture's file can be read; its server is away[/]")
    parts: list[RenderableType] = [table]
    if now.verdicts is not None:
        parts.append(_verdicts(now.verdicts, before.verdicts if before else None, elapsed))
    if now.workers:
        old = before.workers if before else {}
        parts += [_workers(now.workers, old), _stages(stages_of(now.workers), stages_of(old))]
    parts += [Text(visible(f"! {words}"), style="yellow") for words in now.alarms]
    parts += [Text(visible(f"✗ {words}"), style="red") for words in now.troubles]
    return Group(*parts)


def _gauges(sample: Sample, name: str) -> list[float]:
    name = f"linewatch_{name}"
    return [worker.gauges[name] for worker in sample.workers.values() if name in worker.gauges]


def _workers(now: Mapping[str, WorkerFigures], before: Mapping[str, WorkerFigures]) -> Table:
    table = Table("worker", box=None, title="Workers", title_justify="left")
    for heading in ("a batch", "at most", "device memory"):
        table.add_column(heading, justify="right")
    table.add_column("models")
    for url, worker in now.items():
        mean = worker.mean_batch(before.get(url))
        limit = worker.gauges.get("linewatch_batch_limit")
        memory = worker.gauges.get("linewatch_device_memory_bytes")
        table.add_row(
            Text(visible(url.removeprefix("http://").removesuffix("/metrics"))),
            "–" if mean is None else f"{mean:.1f}",
            "–" if limit is None else f"{limit:.0f}",
            "–" if memory is None else f"{memory / 2**20:,.0f} MiB",
            Text(visible(", ".join(worker.models)) or "none yet"),
        )
    return table


def _verdicts(now: Mapping[str, int], before: Mapping[str, int] | None, elapsed: float) -> Table:
    table = Table("verdict", box=None, title="Verdicts", title_justify="left")
    table.add_column("24 hours", justify="right")
    table.add_column("a second", justify="right")
    for verdict, count in now.items():
        rate = (
            None
            if not elapsed or before is None
            else max(0, count - before.get(verdict, 0)) / elapsed
        )
        table.add_row(Text(visible(verdict)), f"{count:,}", "–" if rate is None else f"{rate:.1f}")
    return table


def _stages(now: Mapping[str, Stage], before: Mapping[str, Stage]) -> Table:
    table = Table("stage", box=None, title="Stages, mean", title_justify="left")
    table.add_column("ms", justify="right")
    table.add_column("times", justify="right")
    for name, stage in now.items():
        old = before.get(name, Stage(0, 0))
        count = stage.count - old.count
        mean = "–" if count <= 0 else f"{1000 * (stage.seconds - old.seconds) / count:.1f}"
        table.add_row(Text(visible(name)), mean, f"{count:.0f}")
    return table
