"""Checks of clocks: redelivery, takt alarms and deadlines at the line go by several of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from linewatch.doctor.findings import Finding, State
from linewatch.redis_access.client import quick_client
from linewatch.redis_access.clock import redis_now
from linewatch.settings import Settings
from producer.clock_skew import CameraClock, camera_clocks

MOST_SKEW = timedelta(seconds=2)
_FRESH = timedelta(days=1)


def of_redis(settings: Settings) -> Iterator[Finding]:
    """Whether this machine and Redis agree about the time."""
    yield _agreement("redis", redis_skew(settings))


def of_database(settings: Settings) -> Iterator[Finding]:
    """Whether this machine and PostgreSQL do; nothing with SQLite."""
    skew = postgresql_skew(settings)
    if skew is not None:
        yield _agreement("postgresql", skew)


def of_cameras(settings: Settings) -> Iterator[Finding]:
    """Whether the PCs of the cameras and Redis do, as those measured it when they last sent.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    with quick_client(settings) as client:
        known = camera_clocks(client)
        now_s = redis_now(client)
    fresh = [clock for clock in known if now_s - clock.at_s < _FRESH.total_seconds()]
    off = [clock for clock in fresh if _is_off(clock)]
    for clock in off:
        ahead = "ahead of" if clock.ahead_s > 0 else "behind"
        words = (
            f"the PC of camera {clock.camera} of line {clock.line} is {abs(clock.ahead_s):.1f} s "
            f"{ahead} Redis ({clock.producer}): deadlines at the line count from its time of "
            "capture; let NTP set its clock"
        )
        yield Finding("clocks", State.WARN, words)
    if fresh and not off:
        worst = max(abs(clock.ahead_s) for clock in fresh)
        words = f"the PCs of {len(fresh)} cameras and Redis agree, within {worst:.3f} s"
        yield Finding("clocks", State.OK, words)


def redis_skew(settings: Settings) -> timedelta:
    """How far the clock of Redis is ahead of this machine's."""
    with quick_client(settings) as client:
        client.ping()  # connect first: that may take longer than the question
        asked = datetime.now(UTC)
        there = redis_now(client)
    return datetime.fromtimestamp(there, UTC) - _middle(asked)


def postgresql_skew(settings: Settings) -> timedelta | None:
    """How far the clock of PostgreSQL is ahead of this machine's; None with SQLite."""
    from db.clock import database_now
    from db.session import engine_for, explained, reading

    engine = engine_for(settings.sql_url)
    if engine.dialect.name != "postgresql":
        return None
    with explained(settings.sql_url), reading(engine) as connection:
        database_now(connection)
        asked = datetime.now(UTC)
        there = database_now(connection)
    return there - _middle(asked)


def _agreement(name: str, skew: timedelta) -> Finding:
    if abs(skew) <= MOST_SKEW:
        return Finding("clocks", State.OK, f"this machine and {name} agree")
    ahead = "ahead of" if skew > timedelta() else "behind"
    return Finding(
        "clocks",
        State.WARN,
        f"{name} is {abs(skew).total_seconds():.1f} s {ahead} this machine: redelivery and "
        "takt alarms go by these clocks; let NTP set all of them",
    )


def _is_off(clock: CameraClock) -> bool:
    return abs(clock.ahead_s) - clock.error_s > MOST_SKEW.total_seconds()


def _middle(asked: datetime) -> datetime:
    """The moment in the middle between a question and now, when it was most likely answered."""
    return asked + (datetime.now(UTC) - asked) / 2
