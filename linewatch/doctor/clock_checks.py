"""Checks of clocks: redelivery, takt alarms and deadlines at the line go by several of them."""

from __future__ import annotations

from collections.abc import Iterator

from linewatch.doctor.findings import Finding, State
from linewatch.redis_access.client import quick_client
from linewatch.redis_access.clock import redis_now
from linewatch.settings import Settings
from producer.clock_skew import CameraClock, ClockSkew, camera_clocks

MOST_SKEW_S = 2.0
_FRESH_S = 86_400.0


def of_redis(settings: Settings) -> Iterator[Finding]:
    """Whether this machine and Redis agree about the time.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    with quick_client(settings) as client:
        skew = ClockSkew.measured(lambda: redis_now(client))
    yield _agreement("redis", skew)


def of_database(settings: Settings) -> Iterator[Finding]:
    """Whether this machine and PostgreSQL do; nothing with SQLite.

    Raises:
        DatabaseError: it does not answer.
    """
    from db.clock import database_now
    from db.session import engine_for, explained, reading

    engine = engine_for(settings.sql_url)
    if engine.dialect.name == "postgresql":
        with explained(settings.sql_url), reading(engine) as connection:
            skew = ClockSkew.measured(lambda: database_now(connection).timestamp())
        yield _agreement("postgresql", skew)


def of_cameras(settings: Settings) -> Iterator[Finding]:
    """Whether the PCs of the cameras and Redis do, as those measured it when they last sent.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    with quick_client(settings) as client:
        known = camera_clocks(client)
        now_s = redis_now(client)
    fresh = [clock for clock in known if now_s - clock.at_s < _FRESH_S]
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


def _agreement(name: str, skew: ClockSkew) -> Finding:
    if abs(skew.ahead_s) <= MOST_SKEW_S:
        return Finding("clocks", State.OK, f"this machine and {name} agree")
    ahead = "ahead of" if skew.ahead_s > 0 else "behind"
    return Finding(
        "clocks",
        State.WARN,
        f"{name} is {abs(skew.ahead_s):.1f} s {ahead} this machine: redelivery and "
        "takt alarms go by these clocks; let NTP set all of them",
    )


def _is_off(clock: CameraClock) -> bool:
    return abs(clock.ahead_s) - clock.error_s > MOST_SKEW_S
