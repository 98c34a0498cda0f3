"""When a queued message was sent, whatever lies in the queue."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.messages import to_task
from producer.outbox import QueuedPicture
from producer.queue_state import enqueued


def envelope(arguments: object) -> str:
    body = base64.b64encode(json.dumps(arguments).encode()).decode()
    return json.dumps({"body": body, "headers": {}})


def test_our_own_messages_say_it() -> None:
    before = datetime.now(UTC)
    task = to_task([QueuedPicture(1, "l", "p", None, {"camera": "c"}, 0)], "me")
    at = enqueued(envelope(task.body))
    assert at is not None
    assert before <= at <= datetime.now(UTC)


def test_another_offset_is_the_same_instant() -> None:
    found = enqueued(envelope([[{"enqueued_at": "2026-03-01T09:00:00+01:00"}], {}, {}]))
    assert found == datetime(2026, 3, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    "garbage",
    [
        None,
        b"",
        b"\xff\xfe",
        "not json",
        "[]",
        "null",
        '{"body": 7}',
        '{"body": "%%%"}',
        '{"body": "é"}',
        "[" * 100_000,
        envelope([]),
        envelope([[]]),
        envelope([[{}], {}]),
        envelope([["text"], {}]),
        envelope([[{"enqueued_at": 7}]]),
        envelope([[{"enqueued_at": "yesterday"}]]),
        envelope([[{"enqueued_at": "2026-03-01T09:00:00"}]]),  # no time zone: no instant
        envelope([[{"enqueued_at": "0001-01-01T00:00:00+14:00"}]]),
    ],
)
def test_garbage_has_no_time(garbage: bytes | str | None) -> None:
    assert enqueued(garbage) is None


@given(
    st.recursive(st.none() | st.text() | st.integers(), st.lists)
    | st.dictionaries(st.text(), st.text())
)
def test_any_arguments_are_survived(arguments: object) -> None:
    assert enqueued(envelope(arguments)) is None
