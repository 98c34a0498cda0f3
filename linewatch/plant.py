"""All that a Linewatch on one machine runs: Redis, workers, outputs, beat, Flower, console."""

from __future__ import annotations

import urllib.error
import urllib.request
from dataclasses import dataclass

import redis

from linewatch.console_address import usual_address
from linewatch.private_files import make_folder
from linewatch.redis_access.client import redis_client
from linewatch.services import ServiceGroup, python_command, redis_command
from linewatch.settings import Settings

START_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Plant:
    """What runs, and where a person can look; the console only where it was asked for."""

    flower_url: str
    console_url: str | None


def environment(settings: Settings) -> dict[str, str]:
    """The settings that child processes must share with this one."""
    roots = ":".join(str(root) for root in settings.image_roots)
    return {
        "LINEWATCH_DATA_DIR": str(settings.data_dir),
        "LINEWATCH_DATABASE_URL": settings.database_url,
        "LINEWATCH_REDIS_URL": settings.redis_url,
        "LINEWATCH_REDIS_KEY_PREFIX": settings.redis_key_prefix,
        "LINEWATCH_MODEL_STORE_URL": settings.model_store_url,
        "LINEWATCH_IMAGE_ROOTS": roots,
        "LINEWATCH_UPLOAD_DIR": str(settings.upload_dir or ""),
        "LINEWATCH_WEIGHTS_DIR": str(settings.local_weights_dir),
        "LINEWATCH_ENCODERS": settings.encoders,
        "LINEWATCH_OUTPUTS_FILE": str(settings.outputs_file or ""),
        "PYTHONUNBUFFERED": "1",
    }


def start_plant(
    group: ServiceGroup,
    settings: Settings,
    *,
    flower_port: int,
    console_port: int | None,
    alerts: bool = False,
) -> Plant:
    """Start everything and wait until it works.

    Args:
        alerts: with a notifier.

    Raises:
        ServiceError: a program ended or did not come up; with the end of its log.
    """
    from db.migrate import upgrade

    make_folder(settings.data_dir)
    if not settings.redis_url and not redis_answers(settings):
        group.start("redis", redis_command(settings))
        group.wait_until("redis", lambda: redis_answers(settings), timeout_s=15)
    upgrade(settings.sql_url)
    group.start(
        "worker-inspect",
        python_command("linewatch", "worker", "--queues", "inspect", "--name", "inspect"),
    )
    group.start(
        "worker-train",
        python_command("linewatch", "worker", "--queues", "train,maintenance", "--name", "train"),
    )
    group.start("beat", python_command("linewatch", "beat"))
    if settings.outputs_file is not None:
        group.start("outputs", python_command("linewatch", "outputs", "run"))
    if alerts:
        group.start("alerts", python_command("linewatch", "alerts", "run"))
    group.start("flower", python_command("linewatch", "flower", "--port", str(flower_port)))
    console_url = None if console_port is None else usual_address(console_port)
    if console_url is not None:
        group.start("console", python_command("linewatch", "console", "--port", str(console_port)))
    plant = Plant(f"http://127.0.0.1:{flower_port}", console_url)
    group.wait_until("flower", lambda: flower_answers(plant.flower_url), START_TIMEOUT_S)
    if console_url is not None:
        group.wait_until("the console", lambda: console_answers(console_url), START_TIMEOUT_S)
    group.wait_until(
        "the inspect worker", lambda: resident_models(settings) is not None, START_TIMEOUT_S
    )
    return plant


def redis_answers(settings: Settings) -> bool:
    """Whether Redis can be reached and used."""
    try:
        with redis_client(settings, socket_timeout=2) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def flower_answers(url: str) -> bool:
    """Whether Flower serves pages."""
    return _answers(f"{url}/healthcheck")


def console_answers(url: str) -> bool:
    """Whether the console serves pages."""
    return _answers(f"{url}/healthz")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:  # noqa: S310
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def resident_models(settings: Settings) -> dict[str, str] | None:
    """Product to version as the inspect workers that answer have it; None while none answers."""
    from workers.app import make_app

    replies = make_app(settings).control.inspect(timeout=1.0).stats() or {}
    inspecting = [reply["linewatch"] for reply in replies.values() if "linewatch" in reply]
    if not inspecting:
        return None
    return dict(pair for worker in inspecting for pair in worker["models"].items())
