"""Health that means progress: each function returns what is wrong, or None."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta

import redis

from linewatch.settings import Settings
from producer.queue_state import queue_state

STUCK_AFTER = timedelta(seconds=60)


def stuck(settings: Settings) -> str | None:
    """Whether pictures wait while none has been committed for a minute."""
    from db.session import engine_for
    from db.totals import last_decided_at

    with redis.Redis.from_url(settings.redis_client_url, socket_timeout=5) as client:
        queue = queue_state(client)
    if not queue.depth:
        return None
    last = last_decided_at(engine_for(settings.sql_url))
    if last is not None and datetime.now(UTC) - last < STUCK_AFTER:
        return None
    since = "ever" if last is None else f"since {last:%Y-%m-%d %H:%M:%S} UTC"
    oldest = "" if queue.oldest_age_s is None else f" (the oldest for {queue.oldest_age_s:.0f} s)"
    return f"{queue.depth} messages wait{oldest}, and no verdict was committed {since}"


def silent(settings: Settings, node: str) -> str | None:
    """Whether this machine's worker called `node` does not answer."""
    from workers.app import make_app

    name = node if "@" in node else f"{node}@{socket.gethostname()}"
    replies = make_app(settings).control.inspect(destination=[name], timeout=5.0).ping()
    return None if replies else f"{name} does not answer"


def beat_gone(settings: Settings) -> str | None:
    """Whether no scheduler holds the lock that a running one renews every few seconds."""
    with redis.Redis.from_url(settings.redis_client_url, socket_timeout=5) as client:
        return None if client.exists("redbeat::lock") else "no beat holds the scheduler's lock"
