"""Pictures to messages, and messages to what Celery itself would have made."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from celery import Celery
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from linewatch.commands.schema import schemas
from producer.contract import InspectMessage, SigningKeys, parse_message
from producer.messages import group, to_task
from producer.outbox import QueuedPicture, resend_wait_s
from producer.uuid7 import uuid7


def picture(
    seq: int = 1, product: str = "cable", burst: str | None = None, **more: Any
) -> QueuedPicture:
    image = {
        "id": str(uuid7()),
        "uri": f"/data/{seq}.png",
        "camera": "cam-2",
        "captured_at": datetime.now(UTC).isoformat(),
    }
    return QueuedPicture(seq, "line-1", product, burst, {**image, **more}, attempts=0)


@given(
    st.lists(st.tuples(st.sampled_from(["cable", "screw"]), st.sampled_from([None, "a", "b"]))),
    st.integers(1, 64),
)
def test_grouping_keeps_order_and_mixes_nothing(
    kinds: list[tuple[str, str | None]], limit: int
) -> None:
    pictures = [picture(i, product, burst) for i, (product, burst) in enumerate(kinds)]
    messages = group(pictures, limit)
    assert [p for message in messages for p in message] == pictures
    for message in messages:
        assert len({(p.product, p.burst) for p in message}) == 1
        assert len(message) <= (64 if message[0].burst else limit)


def test_neighbours_share_a_message() -> None:
    assert [len(m) for m in group([picture(i) for i in range(40)], 16)] == [16, 16, 8]
    assert [len(m) for m in group([picture(i, burst="b") for i in range(70)], 16)] == [64, 6]


def test_task_is_what_celery_makes() -> None:
    task = to_task([picture(1), picture(2)], "pc-1")
    app = Celery(broker="memory://")
    theirs = app.amqp.as_task_v2(
        task.id,
        "linewatch.inspect",
        args=task.body[0],
        argsrepr=task.headers["argsrepr"],
        origin="pc-1",
        ignore_result=True,
    )
    assert task.headers == theirs.headers
    assert json.loads(json.dumps(task.body)) == json.loads(json.dumps(theirs.body))


def test_flower_shows_line_camera_and_count() -> None:
    task = to_task([picture(1), picture(2, camera="cam-3")], "pc-1")
    assert task.headers["argsrepr"] == "line-1 · cam-2, cam-3 · 2 × cable"


def test_payload_follows_the_contract_and_the_published_schema() -> None:
    payload = to_task([picture(1, part="SN 1", lot="L")], "pc-1").body[0][0]
    parsed = parse_message(payload)
    assert not parsed.refusals
    assert parsed.images[0].attempt == 1
    InspectMessage.model_validate(payload)
    Draft202012Validator(schemas(), format_checker=Draft202012Validator.FORMAT_CHECKER).validate(
        payload
    )


@pytest.mark.parametrize(
    ("attempt", "wait_s"), [(1, 120), (2, 240), (5, 1920), (6, 3600), (99, 3600)]
)
def test_resends_come_ever_more_slowly(attempt: int, wait_s: float) -> None:
    assert resend_wait_s(120, attempt) == wait_s


def test_ids_are_version_7_and_in_order() -> None:
    ids = [uuid7() for _ in range(1000)]
    assert all(type(i) is UUID and i.version == 7 for i in ids)
    assert ids == sorted(set(ids))


@given(st.integers(1, 4096), st.integers(1, 200), st.sampled_from(["a", "ß", "𝄞"]))
@settings(max_examples=25, deadline=None)
def test_no_message_is_larger_than_workers_open(uri: int, part: int, letter: str) -> None:
    most = 128 * 1024
    pictures = [picture(i, burst="b", uri=letter * uri, part=letter * part) for i in range(64)]
    messages = group(pictures, 16, most)
    assert [p for message in messages for p in message] == pictures
    for message in messages:
        task = to_task(message, "p" * 128, SigningKeys.parse("k" * 64 + ":" + "s" * 32))
        assert len(json.dumps(task.body)) + len(json.dumps(task.headers)) <= most
