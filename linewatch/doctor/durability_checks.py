"""Checks of what the promise of docs/promise.md rests on: nothing lost, nothing judged twice."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

import redis

from linewatch.doctor.findings import Finding, State
from linewatch.extras import advice
from linewatch.settings import Settings

# Where a fault was seen that these are free of; see docs/promise.md, "What it needs".
PROVED_WITH = {"celery": ("5.6", "5.7"), "kombu": ("5.7",)}
JUDGED_AGAIN_S = 30.0  # after a worker's death, its pictures are judged within this
_RESTORING_S = 3.0  # what taking a message back and judging it may add

# Redis settings: what is wanted, what happens otherwise, and how bad that is.
REDIS = {
    "maxmemory-policy": ("noeviction", "a full Redis forgets messages", State.FAIL),
    "appendonly": (
        "yes",
        "a restart empties the queue, and every camera sends again",
        State.WARN,  # slow, but nothing is lost: the spools have it
    ),
}
POSTGRESQL = ("fsync", "full_page_writes", "synchronous_commit")


def redis_settings(client: redis.Redis) -> Iterator[Finding]:
    """Whether Redis keeps what it was given."""
    for name, (wanted, otherwise, state) in REDIS.items():
        try:
            found = client.config_get(name).get(name)
        except redis.ResponseError:
            yield Finding(f"redis {name}", State.WARN, "may not be read by this user")
            continue
        if found == wanted:
            yield Finding(f"redis {name}", State.OK, wanted)
        else:
            advice = f"is {found}: {otherwise}; `redis-cli config set {name} {wanted}`"
            yield Finding(f"redis {name}", state, advice)
    yield from _redis_memory(client)


def _redis_memory(client: redis.Redis) -> Iterator[Finding]:
    """Whether Redis refuses before it has taken all memory of its machine."""
    name = "redis maxmemory"
    try:
        found = int(client.config_get("maxmemory").get("maxmemory") or 0)
    except redis.ResponseError:
        yield Finding(name, State.WARN, "may not be read by this user")
        return
    if found:
        yield Finding(name, State.OK, f"{found / 2**20:.0f} MB")
    else:
        advice = (
            "is 0: whoever may push can take all of the machine's memory; "
            "`redis-cli config set maxmemory 1gb`, and in redis.conf"
        )
        yield Finding(name, State.WARN, advice)


def database_settings(settings: Settings) -> Iterator[Finding]:
    """Whether what PostgreSQL calls committed outlives a power cut. Our SQLite files do."""
    from sqlalchemy import text

    from db.session import engine_for, reading

    engine = engine_for(settings.sql_url)
    if engine.dialect.name != "postgresql":
        return
    with reading(engine) as connection:
        found = {name: connection.execute(text(f"SHOW {name}")).scalar() for name in POSTGRESQL}
    off = [name for name in POSTGRESQL if found[name] == "off"]
    if off:
        advice = (
            f"{', '.join(off)} off: a power cut takes back verdicts that have receipts; "
            "switch on in postgresql.conf, or `ALTER DATABASE … RESET` it"
        )
        yield Finding("database commits", State.FAIL, advice)
    else:
        yield Finding("database commits", State.OK, "are on disk when they are acknowledged")


def versions(_: Settings) -> Iterator[Finding]:
    """Whether Celery and kombu are of the series that the fault tests ran with."""
    for package, series in PROVED_WITH.items():
        try:
            found = version(package)
        except PackageNotFoundError as error:  # Celery, on a camera PC
            yield Finding(package, State.WARN, f"not looked at: {advice(error)}")
            continue
        if found.rpartition(".")[0] in series:
            yield Finding(package, State.OK, found)
        else:
            words = (
                f"is {found}, proved with {' and '.join(series)}: others may lose messages, or "
                f"redeliver late; `pip install '{package}=={series[-1]}.*'`"
            )
            yield Finding(package, State.FAIL, words)


def redelivery(settings: Settings) -> Iterator[Finding]:
    """How soon a dead worker's pictures are judged. A lease too long is refused by the settings."""
    latest_s = settings.visibility_timeout_s + settings.redelivery_sweep_s + _RESTORING_S
    words = f"a dead worker's pictures are judged again within {latest_s:.0f} s"
    if latest_s > JUDGED_AGAIN_S:
        words += f", not {JUDGED_AGAIN_S:.0f} s; shorten LINEWATCH_VISIBILITY_TIMEOUT_S"
        yield Finding("redelivery", State.WARN, words)
    else:
        yield Finding("redelivery", State.OK, words)


def spool(settings: Settings) -> Iterator[Finding]:
    """Whether a spool here keeps what it accepts."""
    weaker = {
        "LINEWATCH_SPOOL_SYNC=normal": settings.spool_sync == "normal",
        "LINEWATCH_SPOOL_WHEN_FULL=drop-oldest": settings.spool_when_full == "drop-oldest",
    }
    costs = {
        "LINEWATCH_SPOOL_SYNC=normal": "a power cut may take the pictures of the last moment",
        "LINEWATCH_SPOOL_WHEN_FULL=drop-oldest": "a full spool gives up accepted pictures",
    }
    chosen = [f"{name}: {costs[name]}" for name, is_set in weaker.items() if is_set]
    if chosen:
        yield Finding("spool", State.WARN, "; ".join(chosen))
    else:
        yield Finding("spool", State.OK, "keeps every accepted picture until its receipt")
