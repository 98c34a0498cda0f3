"""A message that comes again is answered again: its receipts may have been lost."""

from __future__ import annotations

import json
from datetime import UTC
from types import SimpleNamespace
from uuid import uuid4

import redis
from sqlalchemy import Engine

from db.inspections import suspects
from db.inspections.inspections import commit_inspections
from db.session import transaction
from producer.contract import Verdict, parse_message, receipts_key
from tests.support.records import a_record
from workers import inspect
from workers.health.suspects import Suspects
from workers.pipeline.receipts import ReceiptWriter


def test_what_an_earlier_delivery_committed_is_answered_again(
    engine: Engine, redis_url: str
) -> None:
    known, new = a_record(verdict=Verdict.DEFECT, defect_class="bent_wire"), uuid4()
    commit_inspections(engine, [known], UTC)
    with transaction(engine) as connection:  # its worker died after the row, before the acquittal
        suspects.begin_trial(connection, [known.id, new], alone=False, worker="w1")
    message = parse_message(
        {
            "version": 1,
            "product": "cable",
            "line": "line-1",
            "producer": "cam-1",
            "enqueued_at": "2026-01-01T00:00:00Z",
            "images": [
                {
                    "id": str(id_),
                    "uri": f"/p/{id_}.png",
                    "camera": "C1",
                    "captured_at": "2026-01-01T00:00:00Z",
                }
                for id_ in (known.id, new)
            ],
        }
    )
    assert len(message.images) == 2
    with redis.Redis.from_url(redis_url) as client:
        runtime = SimpleNamespace(
            engine=engine,
            receipts=ReceiptWriter(client),
            suspects=Suspects(engine, None, "w2"),  # type: ignore[arg-type]
        )
        for times in (1, 2):
            found = inspect._already_committed(runtime, message)  # type: ignore[arg-type]
            assert set(found) == {known.id}
            lines = client.lrange(receipts_key("cam-1"), 0, -1)
            assert len(lines) == times
        receipt = json.loads(lines[-1])
    assert (receipt["id"], receipt["verdict"]) == (str(known.id), "defect")
    assert receipt["defect_class"] == "bent_wire"
    assert suspects.counts(engine, [known.id, new]).keys() == {new}
