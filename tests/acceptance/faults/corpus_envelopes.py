"""Queue entries whose Celery envelope or body is wrong, though the picture in it is good."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from producer.contract import Reason
from tests.acceptance.faults.corpus_messages import Sent, entry
from tests.acceptance.live import ids_of, message


def envelopes(good: Path) -> Iterator[Sent]:
    """Every entry carries a readable message; `ends` is empty where it cannot be reached."""
    yield from _bodies(good)
    yield from _headers(good)
    yield from _tops(good)


def _whole(name: str, payload: dict[str, Any], judged: bool, **changes: Any) -> Sent:
    task_id = str(uuid4())
    body = json.dumps([[payload], {}, {}]).encode()
    ends: dict[UUID, Reason] = dict.fromkeys(ids_of(payload), Reason.NO_MODEL) if judged else {}
    return Sent(name, entry(body, task_id, **changes), task_id, ends, letter=not judged)


def _bodies(good: Path) -> Iterator[Sent]:
    payload = message(good)
    text = json.dumps(payload)
    bodies = {
        "nothing": "",
        "no JSON": "picture.png",
        "half a message": text[: len(text) // 2],
        "null": "null",
        "a number": "7",
        "an object": "{}",
        "an empty list": "[]",
        "three numbers": "[1, 2, 3]",
        "no workflow": f"[[{text}], {{}}]",
        "the bare message": text,
        "arguments that are an object": f"[{text}, {{}}, {{}}]",
        "keywords that are a list": f"[[{text}], [1], {{}}]",
        "four parts": f"[[{text}], {{}}, {{}}, 4]",
        "no arguments": "[[], {}, {}]",
        "two arguments": f"[[{text}, {text}], {{}}, {{}}]",
        "a keyword": f'[[], {{"message": {text}}}, {{}}]',
        "a keyword called self": f'[[], {{"self": {text}}}, {{}}]',
        "a workflow that is text": f'[[{text}], {{}}, "x"]',
        "a workflow that replaces the request": f'[[{text}], {{}}, {{"delivery_info": 7}}]',
        "a task to start afterwards": f'[[{text}], {{}}, {{"callbacks": [{{"task": "x"}}]}}]',
        "a huge number": f"[[{'9' * 5000}], {{}}, {{}}]",
    }
    for name, body in bodies.items():
        task_id = str(uuid4())
        yield Sent(f"body: {name}", entry(body.encode(), task_id), task_id)
    for name, raw in {"not UTF-8": b"\xff\xfe[", "a serialised object": b"\x80\x04K\x07."}.items():
        task_id = str(uuid4())
        yield Sent(f"body: {name}", entry(raw, task_id), task_id)


def _headers(good: Path) -> Iterator[Sent]:
    wrong: dict[str, list[Any]] = {
        "task": [None, 7, [], "linewatch.none", "os.system", "\ud800", ""],
        "id": [None, 7, {}, "", "x" * 256, "x\nforged", "\x1b[2J", "\ud800"],
        "compression": ["gzip", "application/x-bz2", {}, ""],
    }
    wrong["task"] += ["celery.group", "celery.map", "celery.chord_unlock", "linewatch.retrain"]
    for name, values in wrong.items():
        for value in values:
            yield _whole(f"header {name} {value!a}", message(good), False, **{name: value})
    odd: dict[str, list[Any]] = {
        # A picture that was handed over is judged, now, whatever Celery would make of these.
        "eta": ["tomorrow", 7, "2026-99-99T00:00:00", "2999-01-01T00:00:00+00:00"],
        "expires": ["yesterday", [], "2001-01-01T00:00:00+00:00"],
        "timelimit": ["x", 7, [1], [0.001, 0.001]],
        "retries": [None, 99, "many"],
        "root_id": [None, 7],
        "argsrepr": [None, 7, "\ud800", ["<img src=x onerror=alert(1)>"]],
        "kwargsrepr": [["<b>"]],
        "lang": [None, "cobol"],
        "group": ["g", {}],
        "group_index": [{}],
        "chord": [{"task": "x"}],
        "unheard_of": [{"a": [1]}, {"__type__": "decimal", "__value__": "1e999999999"}],
        "stamps": [{"a": 1}, []],
        "stamped_headers": [[{}], ["a"], "x", {}],
        "shadow": [{}, {"x": 1}, [], "celery.group"],
        "replaced_task_nesting": ["x", {}],
        "linewatch_handed_back": [True, "yes"],
        "redelivered": [{}],
        "ignore_result": [False, "no"],
    }
    for name, values in odd.items():
        for value in values:
            yield _whole(f"header {name} {value!a}", message(good), True, **{name: value})


def _tops(good: Path) -> Iterator[Sent]:
    for kind in (
        "application/" + "x-python-serialize",
        "application/x-yaml",
        "text/plain",
        "x",
        None,
    ):
        yield _whole(f"content type {kind}", message(good), False, top={"content-type": kind})
    yield _whole("no encoding", message(good), True, top={"content-encoding": None})
    for coding in ("latin-1", "no-such-coding", "rot13", 7):
        yield _whole(f"encoding {coding}", message(good), False, top={"content-encoding": coding})
    for body in (None, 7, "not base64!", "AAA", {"a": 1}):
        yield _whole(f"body {body!a}", message(good), False, top={"body": body})
    info = {"exchange": "", "routing_key": "elsewhere", "redelivered": "yes"}
    yield _whole("said to be redelivered", message(good), True, properties={"delivery_info": info})
    yield _whole("no correlation", message(good), True, properties={"correlation_id": None})
    yield _whole("a reply is wanted", message(good), True, properties={"reply_to": "celery"})
    yield _whole("priority high", message(good), True, properties={"priority": "high"})
