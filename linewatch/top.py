"""What `linewatch top` shows: the queue, the verdicts, the alarms, and each worker's stages."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import redis
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from linewatch.settings import Settings
from producer.queue_state import QueueState, queue_state

_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Stage:
    """How often a stage of a worker ended, and how long that took in all, in seconds."""

    count: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Sample:
    """What was seen at one moment; None where nothing answered."""

    at: float
    queue: QueueState | None
    leases: int | None
    verdicts: Mapping[str, int] | None
    alarms: Sequence[str] = ()
    stages: Mapping[str, Stage] = field(default_factory=dict)
    gauges: Mapping[str, float] = field(default_factory=dict)
    troubles: Sequence[str] = ()


def look(settings: Settings, urls: Sequence[str]) -> Sample:
    """Ask Redis, the database and the metrics endpoints; what does not answer is a trouble."""
    from sqlalchemy.exc import SQLAlchemyError

    from db.alerts import open_alerts
    from db.session import engine_for
    from db.totals import verdict_totals

    troubles = []
    queue = leases = verdicts = None
    alarms: list[str] = []
    try:
        with redis.Redis.from_url(settings.redis_client_url, socket_timeout=_TIMEOUT_S) as client:
            queue, leases = queue_state(client), int(client.hlen("unacked"))
    except redis.RedisError as error:
        troubles.append(f"Redis: {error}")
    try:
        engine = engine_for(settings.sql_url)
        verdicts = verdict_totals(engine, datetime.now(UTC) - timedelta(days=1))
        alarms = [alert.message for alert in open_alerts(engine)]
    except SQLAlchemyError as error:
        troubles.append(f"database: {str(error).splitlines()[0]}")
    stages: Counter[tuple[str, str]] = Counter()
    gauges: Counter[str] = Counter()
    for url in urls:
        try:
            with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as reply:  # noqa: S310
                _add(reply.read().decode(), stages, gauges)
        except (urllib.error.URLError, OSError, ValueError) as error:
            troubles.append(f"{url}: {error}")
    names = dict.fromkeys(name for name, _ in stages)
    by_name = {n: Stage(stages[n, "count"], stages[n, "sum"]) for n in names}
    return Sample(time.monotonic(), queue, leases, verdicts, alarms, by_name, gauges, troubles)


def _add(page: str, stages: Counter[tuple[str, str]], gauges: Counter[str]) -> None:
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            if family.name == "linewatch_stage_seconds" and not sample.name.endswith("_bucket"):
                what = sample.name.rpartition("_")[2]
                stages[sample.labels["stage"], what] += sample.value  # type: ignore[assignment]
            elif family.type == "gauge" and not sample.labels:
                gauges[sample.name] += sample.value  # type: ignore[assignment]


def screen(now: Sample, before: Sample | None) -> RenderableType:
    """The picture of one moment; rates are those since `before`."""
    elapsed = 0.0 if before is None else now.at - before.at
    table = Table(box=None, show_header=False, pad_edge=False)
    if now.queue is not None:
        age = "–" if now.queue.oldest_age_s is None else f"{now.queue.oldest_age_s:.1f} s"
        table.add_row("queue", f"{now.queue.depth} messages, the oldest {age}")
        table.add_row("held", f"{now.leases} messages with workers")
    for name, text in (("in_flight", "pictures in flight"), ("suspects", "suspects")):
        if f"linewatch_{name}" in now.gauges:
            table.add_row(text, f"{now.gauges[f'linewatch_{name}']:.0f}")
    if now.gauges.get("linewatch_holding"):
        table.add_row("holding", "[yellow]the database is away; verdicts are held[/]")
    if now.gauges.get("linewatch_share_hangs"):
        table.add_row("share", "[yellow]no picture's file can be read; its server is away[/]")
    parts: list[RenderableType] = [table]
    if now.verdicts is not None:
        parts.append(_verdicts(now.verdicts, before.verdicts if before else None, elapsed))
    if now.stages:
        parts.append(_stages(now.stages, before.stages if before else {}))
    parts += [Text(f"! {words}", style="yellow") for words in now.alarms]
    parts += [Text(f"✗ {words}", style="red") for words in now.troubles]
    return Group(*parts)


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
        table.add_row(verdict, f"{count:,}", "–" if rate is None else f"{rate:.1f}")
    return table


def _stages(now: Mapping[str, Stage], before: Mapping[str, Stage]) -> Table:
    table = Table("stage", box=None, title="Stages, mean", title_justify="left")
    table.add_column("ms", justify="right")
    table.add_column("times", justify="right")
    for name, stage in now.items():
        old = before.get(name, Stage(0, 0))
        count = stage.count - old.count
        mean = "–" if count <= 0 else f"{1000 * (stage.seconds - old.seconds) / count:.1f}"
        table.add_row(name, mean, f"{count:.0f}")
    return table
