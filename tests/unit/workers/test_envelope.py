"""Envelopes that Celery or kombu would trip over are told from good ones before they do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.faults.corpus_messages import entry
from tests.acceptance.live import message
from workers.envelope import body_problem, envelope_problem, take_now

BODY = json.dumps([[message(Path("/pictures/1.png"))], {}, {}]).encode()
NO_WORKFLOW = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


def problem(body: bytes = BODY, **changes: Any) -> str | None:
    return envelope_problem(json.loads(entry(body, "task-1", **changes)))


def test_what_a_standard_client_sends_has_no_problem() -> None:
    assert problem() is None
    for workflow in (NO_WORKFLOW, {}, None):
        assert body_problem([[{}], {}, workflow]) is None


@pytest.mark.parametrize("headers", [{"task": None}, {"task": []}, {"id": None}, {"id": 7}])
def test_headers_that_name_no_task(headers: dict[str, Any]) -> None:
    assert "headers" in (problem(**headers) or "")


@pytest.mark.parametrize(
    "top",
    [
        {"content-type": "application/" + "x-python-serialize"},
        {"content-type": None},
        {"content-encoding": "rot13"},
        {"content-encoding": 7},
        {"body": None},
        {"body": "AAA"},
        {"body": "ÄÖÜ="},
        {"body": "//8="},
    ],
)
def test_codings_nobody_can_read(top: dict[str, Any]) -> None:
    assert problem(top=top) is not None


def test_a_missing_coding_is_utf_8_and_lines_in_base64_are_joined() -> None:
    whole = json.loads(entry(BODY, "task-1", top={"content-encoding": None}))
    assert envelope_problem(whole) is None
    half = len(whole["body"]) // 2
    whole["body"] = whole["body"][:half] + "\n" + whole["body"][half:]
    assert envelope_problem(whole) is None


def test_a_body_beyond_the_limit() -> None:
    assert "LINEWATCH_MAX_MESSAGE_BYTES" in (problem(b"[" + b" " * 2**20 + b"]") or "")


@pytest.mark.parametrize(
    "body",
    [
        None,
        7,
        {},
        [],
        [[], {}],
        [[], {}, {}, {}],
        [{}, {}, {}],
        [[], [], {}],
        [[], {"self": 1}, {}],
        [[], {}, "x"],
        [[], {}, {"delivery_info": 7}],
        [[], {}, {"callbacks": [{"task": "linewatch.retrain"}]}],
    ],
)
def test_bodies_that_are_no_task(body: object) -> None:
    assert body_problem(body) is not None


def test_a_message_is_taken_now_whatever_it_wants() -> None:
    headers: dict[str, Any] = {"eta": "tomorrow", "expires": 0, "timelimit": "x", "task": "t"}
    take_now(headers)
    assert headers == {"eta": None, "expires": None, "timelimit": [None, None], "task": "t"}
