"""Health that means progress: each function returns what is wrong, or None.

Containers ask every half a minute: nothing here may be slow to import or wait for long.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import redis

from linewatch.errors import DatabaseError, LinewatchError
from linewatch.redis_access.client import quick_client
from linewatch.redis_access.keys import BEAT_LOCK, HELD, HELD_SINCE
from linewatch.settings import Settings
from producer.queue_state import enqueued, queue_state

STUCK_AFTER = timedelta(seconds=60)
_MOST_HELD = 100  # messages looked at
PING_TIMEOUT_S = 5.0  # a worker may be busy


def problem(check: Callable[[], str | None]) -> str | None:
    """What `check` says; whatever it asks and does not answer is a problem, in one line."""
    try:
        return check()
    except redis.RedisError as error:
        return f"Redis does not answer: {_line(error)}"
    except (LinewatchError, OSError) as error:
        return _line(error)
    except Exception as error:
        if type(error).__module__.partition(".")[0] in ("sqlalchemy", "psycopg", "kombu", "amqp"):
            return f"{type(error).__name__}: {_line(error)}"
        raise


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def stuck(settings: Settings) -> str | None:
    """Whether pictures wait, or are held, while none has been committed for a minute."""
    now = datetime.now(UTC)
    with quick_client(settings) as client:
        queue = queue_state(client)
        held_s = held_for_s(client, now)
    if not queue.depth and held_s < STUCK_AFTER.total_seconds():
        return None
    try:
        last = _last_decided_at(settings.sql_url)
    except DatabaseError as error:
        return f"no verdict can be committed: {error}"
    if last is not None and now - last < STUCK_AFTER:
        return None
    since = "ever" if last is None else f"since {last:%Y-%m-%d %H:%M:%S} UTC"
    if not queue.depth:
        held = f"workers hold messages that were sent {held_s:.0f} s ago"
        return f"{held}, and no verdict was committed {since}"
    oldest = "" if queue.oldest_age_s is None else f" (the oldest for {queue.oldest_age_s:.0f} s)"
    return f"{queue.depth} messages wait{oldest}, and no verdict was committed {since}"


def _last_decided_at(url: str) -> datetime | None:
    from db.reports.counts import last_decided_at
    from db.session import database_url, engine_for, explained

    quick = database_url(url)
    if quick.get_backend_name() == "postgresql":  # libpq waits for two seconds at least
        quick = quick.update_query_dict({"connect_timeout": "2"})
    with explained(url):
        return last_decided_at(engine_for(quick.render_as_string(hide_password=False)))


def held_for_s(client: redis.Redis, now: datetime) -> float:
    """How long ago the oldest message was sent that a worker has taken, by its own words; or 0.

    A worker that holds its verdicts has emptied the queue, and looks well from there.
    """
    tags: list[Any] = client.zrange(HELD_SINCE, 0, _MOST_HELD - 1)
    with client.pipeline(transaction=False) as pipe:
        for tag in tags:
            pipe.hget(HELD, tag)
        entries = pipe.execute()
    sent = (enqueued(_message(entry)) for entry in entries if entry is not None)
    return max(((now - at).total_seconds() for at in sent if at is not None), default=0.0)


def _message(entry: bytes | str) -> str | None:
    """The message in a held entry of kombu's."""
    try:
        return json.dumps(json.loads(entry)[0])
    except (ValueError, LookupError, TypeError, RecursionError):
        return None


def silent(settings: Settings, node: str) -> str | None:
    """Whether this machine's worker called `node` does not answer."""
    from workers.app import make_app

    with quick_client(settings) as client:
        client.ping()  # kombu would try for long
    name = node if "@" in node else f"{node}@{socket.gethostname()}"
    replies = make_app(settings).control.inspect(destination=[name], timeout=PING_TIMEOUT_S).ping()
    return None if replies else f"{name} does not answer"


def beat_gone(settings: Settings) -> str | None:
    """Whether no scheduler holds the lock that a running one renews every few seconds."""
    with quick_client(settings) as client:
        return None if client.exists(BEAT_LOCK) else "no beat holds the scheduler's lock"
