"""A dispatcher of a test's own, and receivers that a test can look into."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from outputs.camera_time import CameraTime
from outputs.dispatcher import Dispatcher
from outputs.file import parse_outputs
from outputs.status import receivers_shown
from tests.support.mosquitto import Mosquitto
from tests.support.outbox import committed, now_record
from tests.support.webhook_server import WebhookServer


@contextmanager
def dispatching(
    engine: Engine,
    *receivers: dict[str, Any],
    cameras: Callable[[], CameraTime] = CameraTime,
    **line: Any,
) -> Iterator[Dispatcher]:
    file = parse_outputs({"lines": {"L1": {**line, "receivers": list(receivers)}}}, "a test")
    dispatcher = Dispatcher(engine, file, cameras)
    dispatcher.start()
    try:
        yield dispatcher
    finally:
        dispatcher.stop()


def a_drop(folder: Path, **fields: Any) -> dict[str, Any]:
    return {"name": "files", "kind": "drop", "folder": str(folder), **fields}


def dropped(folder: Path) -> list[dict[str, Any]]:
    """Results of the folder's files, by their names."""
    found = []
    for path in sorted(folder.glob("*.jsonl")):
        found += [json.loads(line) for line in path.read_text().splitlines()]
    return found


def words(part: str, folder: Path) -> list[str]:
    return [one["result"] for one in dropped(folder) if one["part"] == part]


def a_webhook(tmp_path: Path, server: WebhookServer, **fields: Any) -> dict[str, Any]:
    secret = tmp_path / "secret"
    secret.write_text("0123456789abcdef0123456789abcdef\n")
    usual = {"name": "mes", "kind": "webhook", "url": server.url, "secret_file": str(secret)}
    return {**usual, "ack_timeout_s": 1.0, **fields}


def a_lot(engine: Engine, count: int, prefix: str = "P") -> list[str]:
    """Commit parts, some to a transaction; returns their serials in the order of the line."""
    records = [now_record(part=f"{prefix}{n:04d}") for n in range(count)]
    for start in range(0, count, 7):
        committed(engine, *records[start : start + 7])
    return [str(record.part) for record in records]


def shown(engine: Engine) -> dict[str, Any]:
    (row,) = receivers_shown(engine, None)
    return row


def a_broker(broker: Mosquitto, **fields: Any) -> dict[str, Any]:
    usual = {"name": "gate", "kind": "mqtt", "host": "127.0.0.1", "port": broker.port}
    return {**usual, "tls": False, "ack_timeout_s": 1.0, **fields}


def assert_in_order(results: list[dict[str, Any]], parts: list[str]) -> None:
    """Each came, first comings in order; what came again has its id."""
    first: dict[str, dict[str, Any]] = {}
    for one in results:
        again = first.setdefault(one["part"], one)
        assert again["id"] == one["id"]
        assert again["sequence"] == one["sequence"]
    assert list(first) == parts
