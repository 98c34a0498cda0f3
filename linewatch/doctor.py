"""What is wrong with this installation, and what to do about it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import redis
from kombu.exceptions import KombuError
from sqlalchemy.exc import SQLAlchemyError

from linewatch import promise, surroundings
from linewatch.errors import LinewatchError
from linewatch.findings import Finding, State
from linewatch.settings import Settings

__all__ = ["Finding", "State", "examine"]


def examine(settings: Settings) -> Iterator[Finding]:
    """Run every check; one that breaks is a finding, not an end."""
    checks: list[tuple[str, Callable[[Settings], Iterator[Finding]]]] = [
        ("redis", _redis),
        ("queue", surroundings.queue),
        ("database", _database),
        ("database commits", promise.database_settings),
        ("versions", promise.versions),
        ("redelivery", promise.redelivery),
        ("spool", promise.spool),
        ("clocks", surroundings.clocks),
        ("disk", surroundings.disk),
        ("image roots", _image_roots),
        ("encoders", _encoders),
        ("models", _models),
        ("workers", _workers),
    ]
    for name, check in checks:
        try:
            yield from check(settings)
        except (
            LinewatchError,
            OSError,
            redis.RedisError,
            KombuError,
            SQLAlchemyError,
        ) as error:
            yield Finding(name, State.FAIL, str(error).splitlines()[0])


def _redis(settings: Settings) -> Iterator[Finding]:
    with redis.Redis.from_url(settings.redis_client_url, socket_timeout=5) as client:
        try:
            client.ping()
        except redis.RedisError as error:
            yield Finding(
                "redis",
                State.FAIL,
                f"no answer: {error}; start it with `linewatch up`, or set LINEWATCH_REDIS_URL",
            )
            return
        yield Finding("redis", State.OK, "answers")
        yield from promise.redis_settings(client)


def _database(settings: Settings) -> Iterator[Finding]:
    from db.migrate import require
    from db.products import all_products
    from db.session import engine_for

    require(settings.sql_url)
    engine = engine_for(settings.sql_url)
    yield Finding("database", State.OK, f"{engine.dialect.name}, schema is current")
    products = sorted(all_products(engine))
    if products:
        yield Finding("products", State.OK, ", ".join(products))
    else:
        advice = "none: pictures are rejected until `linewatch products register FILE`"
        yield Finding("products", State.WARN, advice)


def _image_roots(settings: Settings) -> Iterator[Finding]:
    if not settings.image_roots:
        advice = "none: every picture is rejected as outside_root; set LINEWATCH_IMAGE_ROOTS"
        yield Finding("image roots", State.FAIL, advice)
    for root in settings.image_roots:
        if not root.is_dir():
            yield Finding("image roots", State.FAIL, f"{root} is not a folder")
        elif not os.access(root, os.R_OK | os.X_OK):
            yield Finding("image roots", State.FAIL, f"{root} may not be read by this user")
        else:
            yield Finding("image roots", State.OK, str(root))


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
    from db.deployments import champions
    from db.session import engine_for
    from model_store.store import ModelStore

    if "://" not in settings.models_url:
        folder = Path(settings.models_url)
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            yield Finding("model store", State.FAIL, f"{folder} cannot be written")
    store = ModelStore(settings.models_url)
    for product, version in sorted(champions(engine_for(settings.sql_url)).items()):
        try:
            store.load(product, version)
            yield Finding("model", State.OK, f"{product}: {version}")
        except LinewatchError as error:
            yield Finding("model", State.FAIL, f"{product}: {error}")


def _workers(settings: Settings) -> Iterator[Finding]:
    from workers.app import make_app

    app = make_app(settings)
    stats = app.control.inspect(timeout=1.0).stats() or {}
    queues = app.control.inspect(timeout=1.0).active_queues() or {}
    served = {queue["name"] for entries in queues.values() for queue in entries}
    for name in sorted(stats):
        ours = stats[name].get("linewatch", {})
        if ours.get("holding"):
            advice = f"{name} holds its verdicts until the database is back, and takes nothing new"
            yield Finding("worker", State.WARN, advice)
        elif ours.get("share_hangs"):
            advice = f"{name} waits for picture files; is the server of their share away?"
            yield Finding("worker", State.WARN, advice)
        else:
            words = f"{name}: {ours.get('encoders', 'no encoders needed')}"
            yield Finding("worker", State.OK, words)
    for queue in ("inspect", "train", "maintenance"):
        if queue not in served:
            advice = f"no worker serves {queue!r}: `linewatch worker --queues {queue}`"
            yield Finding("workers", State.WARN, advice)
