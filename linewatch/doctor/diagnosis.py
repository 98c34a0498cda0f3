"""What is wrong with this installation, and what to do about it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import redis
from kombu.exceptions import KombuError

from linewatch.doctor import (
    calendar_checks,
    clock_checks,
    console_checks,
    durability_checks,
    environment_checks,
    file_checks,
    framing_checks,
    picture_checks,
)
from linewatch.doctor.findings import Finding, State
from linewatch.errors import LinewatchError
from linewatch.extras import advice
from linewatch.private_files import make_folder
from linewatch.redis_access.client import quick_client
from linewatch.settings import Settings

REDIS, DATABASE = "redis", "database"

__all__ = ["Finding", "State", "examine"]


def examine(settings: Settings) -> Iterator[Finding]:
    """Run every check; one that breaks is a finding, not an end.

    What did not answer once is not asked again: each time could take as long as it lets us wait.
    """
    checks: list[tuple[str, Callable[[Settings], Iterator[Finding]], frozenset[str]]] = [
        ("settings", environment_checks.names, frozenset()),
        ("installation", environment_checks.installation, frozenset()),
        (REDIS, _redis, frozenset()),
        ("queue", environment_checks.queue, frozenset({REDIS})),
        (DATABASE, _database, frozenset()),
        ("database commits", durability_checks.database_settings, frozenset({DATABASE})),
        ("console", console_checks.connections, frozenset({DATABASE})),
        ("shifts", calendar_checks.shifts, frozenset({DATABASE})),
        ("versions", durability_checks.versions, frozenset()),
        ("redelivery", durability_checks.redelivery, frozenset()),
        ("spool", durability_checks.spool, frozenset()),
        ("clocks", clock_checks.of_redis, frozenset({REDIS})),
        ("clocks", clock_checks.of_database, frozenset({DATABASE})),
        ("clocks", clock_checks.of_cameras, frozenset({REDIS})),
        ("disk", environment_checks.disk, frozenset()),
        ("modes", environment_checks.modes, frozenset()),
        ("image roots", picture_checks.places, frozenset()),
        ("alerts file", file_checks.alerts_file, frozenset()),
        ("outputs file", file_checks.outputs_file, frozenset()),
        ("encoders", _encoders, frozenset()),
        ("models", _models, frozenset({DATABASE})),
        ("pictures", framing_checks.framing, frozenset({DATABASE})),
        ("alerts", _alerts, frozenset({DATABASE})),
        ("workers", _workers, frozenset({REDIS})),
    ]
    silent: set[str] = set()
    skipped: dict[str, dict[str, None]] = {}  # by cause: a line for each cause, not each check
    for name, check, needs in checks:
        if missing := sorted(needs & silent):
            skipped.setdefault(f"without {' and '.join(missing)}", {})[name] = None
            continue
        try:
            for finding in check(settings):
                if finding.check == REDIS and finding.state is State.FAIL:
                    silent.add(REDIS)
                yield finding
        except ImportError as error:  # a camera PC has the base install: check what it has
            skipped.setdefault(advice(error), {})[name] = None
        except (LinewatchError, OSError, redis.RedisError, KombuError, *_sql_errors()) as error:
            silent |= {name} & {REDIS, DATABASE}
            yield Finding(name, State.FAIL, (str(error) or type(error).__name__).splitlines()[0])
    for cause, names in skipped.items():
        yield Finding("not looked at", State.WARN, f"{', '.join(names)}: {cause}")


def _sql_errors() -> tuple[type[Exception], ...]:
    try:
        from sqlalchemy.exc import SQLAlchemyError
    except ImportError:
        return ()
    return (SQLAlchemyError,)


def _redis(settings: Settings) -> Iterator[Finding]:
    with quick_client(settings) as client:
        try:
            client.ping()
        except redis.RedisError as error:
            advice = _redis_advice(settings, error)
            yield Finding("redis", State.FAIL, f"no answer: {error}; {advice}")
            return
        yield Finding("redis", State.OK, "answers")
        yield from durability_checks.redis_settings(client)


def _redis_advice(settings: Settings, error: redis.RedisError) -> str:
    if not settings.redis_url:
        return "start it with `linewatch up`, or set LINEWATCH_REDIS_URL"
    if isinstance(error, redis.AuthenticationError):
        return "LINEWATCH_REDIS_URL has to name a user of that Redis, and the password"
    text = str(error).casefold()  # a server that refuses a certificate may just hang up
    if "ssl" in text or (settings.redis_url.startswith("rediss:") and "reset" in text):
        return (
            "LINEWATCH_REDIS_CA_CERT has to name the authority of its certificate, "
            "LINEWATCH_REDIS_URL a host that stands in this, and LINEWATCH_REDIS_CLIENT_CERT and "
            "_KEY who asks, where Redis wants to know; see docs/security.md"
        )
    return "is it running, and does LINEWATCH_REDIS_URL lead there?"


def _database(settings: Settings) -> Iterator[Finding]:
    from db.migrate import require
    from db.products import catalogue
    from db.session import engine_for, pooled

    require(settings.sql_url)
    engine = engine_for(settings.sql_url)
    words = f"{engine.dialect.name}, schema is current"
    if pooled(engine):
        if settings.prepared_statements == "on":
            words += (
                "; a pooler (such as PgBouncer) stands before it, and statements are prepared all "
                "the same: where it lends a session for a transaction, they are missing in the "
                "next; set LINEWATCH_PREPARED_STATEMENTS=auto"
            )
            yield Finding("database", State.WARN, words)
        else:
            words += "; through a pooler such as PgBouncer, so no statement is prepared"
            yield Finding("database", State.OK, words)
    else:
        yield Finding("database", State.OK, words)
    known = catalogue(engine)
    for sentence in known.broken.values():
        yield Finding("products", State.FAIL, f"{sentence}; register it again")
    if known.products:
        yield Finding("products", State.OK, ", ".join(known.products))
    elif not known.broken:
        advice = "none: pictures are rejected until `linewatch products register FILE`"
        yield Finding("products", State.WARN, advice)


def _encoders(settings: Settings) -> Iterator[Finding]:
    from vision.weights import describe

    if settings.encoders == "full":
        yield Finding("encoders", State.OK, describe(settings))
        return
    advice = (
        "they learnt from drawn pictures alone. The full ones judge real parts better: `linewatch "
        "weights fetch` (or `import` an archive where there is no internet), then "
        "LINEWATCH_ENCODERS=full"
    )
    yield Finding("encoders", State.WARN, f"{describe(settings)}; {advice}")


def _models(settings: Settings) -> Iterator[Finding]:
    from db.models import versions
    from db.models.deployments import champions
    from db.session import engine_for
    from model_store.store import ModelStore
    from model_store.verdicts.idle_rules import idle_rules

    if "://" not in settings.models_url:
        folder = Path(settings.models_url)
        make_folder(folder)
        if not os.access(folder, os.W_OK):
            yield Finding("model store", State.FAIL, f"{folder} cannot be written")
    store, engine = ModelStore(settings.models_url), engine_for(settings.sql_url)
    for product, version in sorted(champions(engine).items()):
        known = versions.get(engine, version)
        digest = None if known is None else known.manifest_sha256
        try:
            manifest = store.load(product, version, manifest_sha256=digest).manifest
            promise = known.promise if known is not None and known.promise else "no promise"
            yield Finding("model", State.OK, f"{product}: {version} ({promise})")
            for warning in idle_rules(manifest.thresholds, manifest.classes):
                yield Finding("model", State.WARN, f"{product}: {warning}")
        except LinewatchError as error:
            yield Finding("model", State.FAIL, f"{product}: {error}")


def _alerts(settings: Settings) -> Iterator[Finding]:
    from db.alerts import open_alerts
    from db.session import engine_for

    standing = open_alerts(engine_for(settings.sql_url))
    for alert in standing:
        state = State.FAIL if alert.severity == "critical" else State.WARN
        words = f"{alert.kind} since {alert.raised_at:%Y-%m-%d %H:%M} UTC: {alert.message}"
        yield Finding("alert", state, words)
    if not standing:
        yield Finding("alerts", State.OK, "none stands")


def _workers(settings: Settings) -> Iterator[Finding]:
    from workers.app import make_app
    from workers.pipeline.database_wait import UNHEALTHY_AFTER_S

    app = make_app(settings)
    stats = app.control.inspect(timeout=1.0).stats() or {}
    queues = app.control.inspect(timeout=1.0).active_queues() or {} if stats else {}
    served = {queue["name"] for entries in queues.values() for queue in entries}
    for name in sorted(stats):
        ours = stats[name].get("linewatch", {})
        if ours.get("holding"):
            held_s = ours.get("held_s", 0)
            advice = f"{name} holds its verdicts until the database is back, and takes nothing new"
            state = State.WARN if held_s < UNHEALTHY_AFTER_S else State.FAIL
            yield Finding("worker", state, f"{advice}; for {held_s} s now")
        elif ours.get("idle_reason"):
            yield Finding("worker", State.FAIL, f"{name} takes nothing: {ours['idle_reason']}")
        elif ours.get("share_hangs"):
            advice = f"{name} waits for picture files; is the server of their share away?"
            yield Finding("worker", State.WARN, advice)
        elif ours.get("unserved"):
            for product, why in sorted(ours["unserved"].items()):
                yield Finding("worker", State.FAIL, f"{name} leaves pictures of {product}: {why}")
        else:
            words = f"{name}: {ours.get('encoders', 'no encoders needed')}"
            yield Finding("worker", State.OK, words)
    for queue in ("inspect", "train", "maintenance"):
        if queue not in served:
            advice = f"no worker serves {queue!r}: `linewatch worker --queues {queue}`"
            yield Finding("workers", State.WARN, advice)
