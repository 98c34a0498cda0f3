"""docs/line.md on MQTT, webhooks and folders: what it shows is what there is."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml

from db.session import engine_for
from outputs.file import parse_outputs
from outputs.result import Result
from quality.parts.disposition import Disposition
from tests.integration.outputs.test_line_page import blocks
from tests.support.dispatching import a_lot, a_webhook, dispatching
from tests.support.waiting import until
from tests.support.webhook_server import WebhookServer


def test_every_file_of_outputs_can_be_read() -> None:
    files = [parse_outputs(yaml.safe_load(block), "docs/line.md") for block in blocks("yaml")]
    kinds = {r.kind for file in files for line in file.lines.values() for r in line.receivers}
    assert kinds == {"mqtt", "webhook", "drop", "opcua", "modbus"}


def test_the_receiver_s_check_of_a_signature_works(sqlite_url: str, tmp_path: Path) -> None:
    (source,) = (block for block in blocks("python") if "def genuine" in block)
    names: dict[str, Any] = {}
    exec(source, names)
    genuine: Callable[[bytes, Any, bytes], bool] = names["genuine"]
    server = WebhookServer()
    engine = engine_for(sqlite_url)
    with dispatching(engine, a_webhook(tmp_path, server)):
        a_lot(engine, 3)
        until(lambda: len(server.results) == 3)
    server.close()
    secret = (tmp_path / "secret").read_bytes().strip()
    headers, body = server.requests[-1]
    assert genuine(secret, headers, body)
    assert not genuine(b"another", headers, body)
    assert not genuine(secret, headers, body + b" ")
    old = {**headers, "Linewatch-Timestamp": str(int(headers["Linewatch-Timestamp"]) - 301)}
    assert not genuine(secret, old, body)


def test_the_result_that_is_shown_has_the_fields_that_there_are() -> None:
    (shown,) = map(json.loads, blocks("json"))
    now = datetime.now(UTC)
    full = Result(
        id=uuid4(),
        sequence=1,
        line="line-1",
        site="plant-1",
        product="cable",
        part="SN-000017",
        picture=uuid4(),
        camera="cam-1",
        disposition=Disposition.NONCONFORMING,
        classes=("bent_wire",),
        decided_by="model",
        model_version="cable-3",
        confidence=0.97,
        captured_at=now,
        committed_at=now,
        deadline=now,
    ).as_json()
    assert list(shown) == list(full)
    moments = {"captured_at", "committed_at", "deadline"}
    same = full.keys() - moments - {"id", "picture", "sequence"}
    assert {name: shown[name] for name in same} == {name: full[name] for name in same}
