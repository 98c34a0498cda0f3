"""What Redis and the workers say; each question is asked for everybody who looks at once."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import redis

from console.live import Shared
from console.pages.queue.context import BatchRow, QueueRow
from console.site import Site
from linewatch.doctor.worker_figures import WorkerFigures
from linewatch.redis_access.client import quick_client
from linewatch.redis_access.keys import HELD
from linewatch.settings import Settings
from producer.queue_state import queue_state
from workers.config import ALL_QUEUES

_TIMEOUT_S = 1.0
_FRESH_S = 5.0
_MOST_BYTES = 4 * 1024 * 1024
_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Broker:
    """The queues, and how many messages workers hold; `held` None: Redis does not answer."""

    queues: tuple[QueueRow, ...] = ()
    held: int | None = None


def broker(settings: Settings) -> Broker:
    """Look at every queue."""
    now = datetime.now(UTC)
    try:
        with quick_client(settings) as client:
            rows = []
            for name in ALL_QUEUES:
                state = queue_state(client, name)
                age = state.oldest_age_s
                oldest = None if age is None else now - timedelta(seconds=round(age))
                rows.append(QueueRow(name=name, depth=state.depth, oldest_at=oldest))
            return Broker(tuple(rows), int(client.hlen(HELD)))
    except redis.RedisError:
        return Broker()


def batches(site: Site) -> list[BatchRow]:
    """What the workers' metrics pages say, a few seconds old at most."""
    urls = site.settings.worker_metrics_urls
    if not urls:
        return []
    shared = site.kept.setdefault("batches", Shared(lambda: _read(urls), _FRESH_S))
    assert isinstance(shared, Shared)
    found: list[BatchRow] = shared.now()
    return found


def _read(urls: Sequence[str]) -> list[BatchRow]:
    with ThreadPoolExecutor(min(8, len(urls))) as pool:
        return list(pool.map(_batch, urls))


def _batch(url: str) -> BatchRow:
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as reply:  # noqa: S310 - of a setting
            figures = WorkerFigures.parse(reply.read(_MOST_BYTES).decode())
    except (urllib.error.URLError, OSError, ValueError) as error:
        return _row(url, problem=f"{error}")
    memory = figures.gauges.get("linewatch_device_memory_bytes")
    return _row(
        url,
        mean=figures.mean_batch(None),
        limit=figures.gauges.get("linewatch_batch_limit"),
        in_flight=figures.gauges.get("linewatch_in_flight"),
        memory=None if memory is None else memory / _MIB,
    )


def _row(
    url: str,
    *,
    mean: float | None = None,
    limit: float | None = None,
    in_flight: float | None = None,
    memory: float | None = None,
    problem: str = "",
) -> BatchRow:
    return BatchRow(
        address=url,
        mean=mean,
        limit=limit,
        in_flight=in_flight,
        memory_mib=memory,
        problem=problem,
    )
