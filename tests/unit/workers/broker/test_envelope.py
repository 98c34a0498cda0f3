"""The gate: what passes is made anew and Celery takes it; the rest is refused with a reason."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import kombu
import pytest
from celery.worker.request import Request
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from producer.contract.strict_json import MAX_DEPTH
from tests.acceptance.faults.corpus_messages import entry
from tests.acceptance.live import message
from workers.broker.argsrepr import LONGEST
from workers.broker.envelope import MAX_BYTES, MAX_REST_BYTES, Admitted, RefusedError, admit
from workers.broker.message import Message
from workers.broker.redelivery import HEADER
from workers.config import MAINTENANCE_QUEUE, RETRAIN_TASK, TASKS, TRAIN_QUEUE
from workers.inspect import inspect

PICTURE = message(Path("/pictures/1.png"))
BODY = json.dumps([[PICTURE], {}, {}]).encode()
INSPECT = TASKS["inspect"]
NONE = dict.fromkeys(("callbacks", "errbacks", "chain", "chord"))


def pass_gate(body: bytes = BODY, task_id: str = "task-1", **changes: Any) -> Admitted:
    properties = {"delivery_tag": "tag-1", **changes.pop("properties", {})}
    item = entry(body, task_id, properties=properties, **changes)
    return admit(item, "inspect", INSPECT)


def problem(body: bytes = BODY, **changes: Any) -> str:
    with pytest.raises(RefusedError) as refused:
        pass_gate(body, **changes)
    assert str(refused.value).isprintable()
    return str(refused.value)


def request(admitted: Admitted) -> Request:
    """The task's request, made as Celery's worker makes it."""
    made = Message(admitted, channel=None)
    assert made.payload is admitted.body
    assert "args" not in made.payload  # or the worker takes it for another protocol
    return Request(made, app=inspect.app, task=inspect, body=made.body, headers=made.headers)


@pytest.mark.parametrize("workflow", [NONE, {}, None])
def test_what_a_standard_client_sends_passes_with_its_body_read(workflow: Any) -> None:
    admitted = pass_gate(json.dumps([[PICTURE], {}, workflow]).encode())
    assert admitted.body == [[PICTURE], {}, NONE]
    made = request(admitted)
    assert (made.id, made.name, made.args, made.kwargs) == ("task-1", inspect.name, [PICTURE], {})
    assert made.content_type is None  # the pool does not read the body again
    assert made.argsrepr == "line-1 · cam-1 · 1 × widget"


DROPPED: dict[str, list[Any]] = {
    "stamped_headers": [[{}], ["a"], {}, "x"],
    "stamps": [{"a": 1}, [], "x"],
    "shadow": [{}, {"x": 1}, [], "other", 7],
    "group": ["g", {}],
    "group_index": [{}],
    "chord": [{"task": "x"}],
    "chain": [[{"task": "x"}]],
    "callbacks": [[{"task": "x"}]],
    "errbacks": [[{"task": "x"}]],
    "replaced_task_nesting": ["x", {}],
    "reply_to": ["celery"],
    "eta": ["2999-01-01T00:00:00+00:00", {}],
    "expires": ["2001-01-01T00:00:00+00:00", []],
    "timelimit": [[0.001, 0.001], "x"],
    "retries": [99, "many", {}],
    "root_id": ["x" * 9999, {}],
    "parent_id": ["x", []],
    "argsrepr": [["<img src=x onerror=alert(1)>"], "<script>", {}],
    "kwargsrepr": [["<b>"], "<script>"],
    "origin": [{}, "x\ny"],
    "ignore_result": [False, {}],
    "lang": ["cobol", {}],
    "meth": ["x"],
    "args": [[1]],
    "redelivered": [True],
    "unheard_of": [{"a": [1]}],
    HEADER: [True, False, "yes"],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in DROPPED.items() for value in values]
)
def test_no_header_of_the_sender_passes(name: str, value: Any) -> None:
    assert pass_gate(**{name: value}) == pass_gate()


def test_properties_are_made_anew() -> None:
    plain = pass_gate()
    odd = {"reply_to": "celery", "correlation_id": {}, "priority": "high", "delivery_mode": 1}
    odd |= {"delivery_info": {"exchange": "x", "routing_key": "elsewhere", "redelivered": "yes"}}
    assert pass_gate(properties={**odd, "more": 1}) == plain
    for priority, kept in ((3, 3), (10, 0), (-1, 0), (True, 0), (3.0, 0), (10**9, 0)):
        found = pass_gate(properties={"priority": priority}).envelope["properties"]
        assert found["priority"] == kept


@pytest.mark.parametrize(
    ("mark", "kept"), [(True, True), (False, False), ("yes", False), (1, False)]
)
def test_only_what_was_redelivered_can_have_been_given_back(mark: object, kept: bool) -> None:
    again = {"delivery_info": {"redelivered": True}}
    made = request(pass_gate(properties=again, **{HEADER: mark}))
    assert made.request_dict[HEADER] is kept
    assert made.delivery_info["redelivered"] is True
    assert HEADER not in request(pass_gate(**{HEADER: mark})).request_dict


@pytest.mark.parametrize(
    "task",
    [
        *(None, 7, [], {}, "", "\ud800", "os.system", "linewatch.inspect "),
        *("celery.group", "celery.map", "celery.chord_unlock", "celery.backend_cleanup"),
        RETRAIN_TASK,
    ],
)
def test_a_queue_has_its_own_tasks_only(task: Any) -> None:
    assert "no task of the queue inspect" in problem(task=task)


def test_each_queue_has_others() -> None:
    item = entry(b"[[], {}, {}]", "i", task=RETRAIN_TASK)
    assert admit(item, TRAIN_QUEUE, TASKS[TRAIN_QUEUE]).envelope["headers"]["task"] == RETRAIN_TASK
    with pytest.raises(RefusedError):
        admit(item, MAINTENANCE_QUEUE, TASKS[MAINTENANCE_QUEUE])


@pytest.mark.parametrize(
    "name", [None, 7, {}, [], "", "x" * 256, "a\nb", "\x1b[2J", "\u202e", "\ud800"]
)
def test_ids_and_tags_are_short_and_can_be_shown(name: Any) -> None:
    assert "headers.id" in problem(id=name)
    assert "delivery_tag" in problem(properties={"delivery_tag": name})
    assert pass_gate(task_id="é" * 255).envelope["headers"]["id"] == "é" * 255


@pytest.mark.parametrize(
    "top",
    [
        {"content-type": "application/" + "x-python-serialize"},
        {"content-type": None},
        {"content-type": {}},
        {"content-encoding": "rot13"},
        {"content-encoding": 7},
        {"content-encoding": []},
        {"body": None},
        {"body": "AAA"},
        {"body": "ÄÖÜ="},
        {"body": "//8="},
        {"properties": None},
        {"headers": None},
        {"headers": []},
    ],
)
def test_codings_nobody_can_read(top: dict[str, Any]) -> None:
    assert problem(top=top)


def test_nothing_is_unpacked() -> None:
    for kind in ("gzip", "zlib", "bzip2", "lzma", "brotli", "zstd", "application/x-gzip", {}, ""):
        assert "compression" in problem(compression=kind)
    assert "not UTF-8" in problem(zlib.compress(BODY))
    assert pass_gate(compression=None) == pass_gate()


def test_a_missing_coding_is_utf_8_and_lines_in_base64_are_joined() -> None:
    whole = json.loads(entry(BODY, "task-1", top={"content-encoding": None}))
    half = len(whole["body"]) // 2
    whole["body"] = whole["body"][:half] + "\n" + whole["body"][half:]
    assert admit(json.dumps(whole).encode(), "inspect", INSPECT).body[0] == [PICTURE]


def test_sizes_come_first() -> None:
    assert "LINEWATCH_MAX_MESSAGE_BYTES" in problem(b"[" + b" " * 2**20 + b"]")
    assert "LINEWATCH_MAX_MESSAGE_BYTES" in problem(unheard_of="x" * MAX_REST_BYTES)
    with pytest.raises(RefusedError, match="LINEWATCH_MAX_MESSAGE_BYTES"):  # and not: no JSON
        admit(b"\xff" * (2 * MAX_BYTES), "inspect", INSPECT)
    large = json.dumps([[PICTURE], {}, {}]).encode().ljust(MAX_BYTES - 2048)
    assert pass_gate(large).body[0] == [PICTURE]


@pytest.mark.parametrize(
    "body",
    [
        *("null", "7", "{}", "[]", "[[], {}]", "[[], {}, {}, {}]", "[{}, {}, {}]", "[[], [], {}]"),
        *('[[], {"self": 1}, {}]', '[[], {}, "x"]', "[[], {}, []]", "[[], {}, 7]"),
        '[[], {}, {"delivery_info": 7}]',
        '[[], {}, {"callbacks": [{"task": "linewatch.retrain"}]}]',
        *(f"[[{'9' * 401}], {{}}, {{}}]", f"[[0.{'1' * 5000}], {{}}, {{}}]"),
        "[" * 50_000,
        f"[[{'[' * MAX_DEPTH}{']' * MAX_DEPTH}], {{}}, {{}}]",
        '[["' + "[" * 999 + '", ' + '{"a": ' * 300 + "1" + "}" * 300 + "], {}, {}]",
    ],
    ids=lambda body: body[:40],
)
def test_bodies_that_are_no_task(body: str) -> None:
    assert (
        "body" in problem(body.encode())
        or "workflow" in problem(body.encode())
        or ("starts no other tasks" in problem(body.encode()))
    )


def test_numbers_and_depths_within_bounds_pass() -> None:
    deep: Any = 1
    for _ in range(MAX_DEPTH - 2):
        deep = [deep]
    inf = float("inf")  # its field's mistake, and no reason to leave its neighbours unjudged
    for value in (2**64, 10**399, 1.5, 1e300, inf, -inf, deep, "[" * 5000, '\\"[' * 200):
        admitted = pass_gate(json.dumps([[value], {}, {}]).encode())
        assert admitted.body[0] == [value]
        assert len(request(admitted).argsrepr) <= LONGEST


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("decimal", "1e999999999"),
        ("decimal", "sNaN"),
        ("datetime", "x"),
        ("date", 7),
        ("time", {}),
        ("uuid", {"hex": "zz"}),
        ("bytes", "x"),
        ("base64", "eA=="),
        ("unheard_of", 1),
    ],
)
def test_no_object_comes_to_life(kind: str, value: Any) -> None:
    typed = {"__type__": kind, "__value__": value}
    assert pass_gate(json.dumps([[typed], {"a": typed}, {}]).encode()).body[:2] == [
        [typed],
        {"a": typed},
    ]
    assert pass_gate(unheard_of=typed, argsrepr=typed, eta=typed) == pass_gate()
    assert problem(id=typed)
    assert problem(task=typed)
    assert problem(top={"properties": typed})
    with pytest.raises(RefusedError):
        admit(json.dumps(typed).encode(), "inspect", INSPECT)


@pytest.mark.parametrize(
    "arguments",
    [
        [{"images": [{"camera": "<img src=x>"}], "line": ["<b>"], "product": "a\n\x1b[2J\u202e"}],
        [{"images": [7, None, [], {}] * 20, "line": {}, "product": "x" * 9999}],
        [{"images": [{"camera": str(n)} for n in range(64)]}],
        ["<script>", None, 1.5, True, {}, [], "y" * 9999, "z" * 9999, 1, 2, 3],
        [],
    ],
)
def test_the_words_shown_for_a_task_are_short_and_harmless(arguments: list[Any]) -> None:
    keywords = {"<b>": "\r\n", **{f"k{n}": n for n in range(40)}}
    for names in ({}, keywords):
        shown = request(pass_gate(json.dumps([arguments, names, {}]).encode())).argsrepr
        assert isinstance(shown, str)
        assert shown.isprintable()
        assert len(shown) <= LONGEST
        assert not set("<>&\"'") & set(shown)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3)
    ),
    max_leaves=6,
)
names = st.sampled_from([*DROPPED, "task", "id", "compression", "delivery_info"]) | st.text()
PROPERTIES = ["correlation_id", "delivery_tag", "delivery_mode", "delivery_info", "priority"]
PROPERTIES += ["body_encoding", "reply_to", "type", "expiration"]
TOP = ["body", "content-type", "content-encoding", "headers", "properties", "more"]


@settings(max_examples=300, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(
    st.dictionaries(names, json_values, max_size=4),
    st.dictionaries(st.sampled_from(PROPERTIES), json_values, max_size=2),
    st.dictionaries(st.sampled_from(TOP), json_values, max_size=1),
    st.none() | json_values,
)
def test_whatever_passes_is_what_celery_takes(
    headers: dict[str, Any], properties: dict[str, Any], top: dict[str, Any], payload: Any
) -> None:
    """Every header, in every JSON type: refused with a reason, or a request like any other."""
    body = BODY if payload is None else json.dumps([[payload], {}, {}]).encode()
    headers = {"headers": headers} if "body" in headers or "top" in headers else headers
    changes = {
        n: v for n, v in headers.items() if n not in ("task_id", "body", "properties", "top")
    }
    item = entry(body, "task-1", properties=properties, top=top, **changes)
    try:
        admitted = admit(item, "inspect", INSPECT)
    except RefusedError:
        return
    made = request(admitted)
    assert made.task is inspect
    assert not made.revoked()
    assert (made.stamps, made.stamped_headers, made.groups, made.group) == ({}, [], [], None)
    assert (made.reply_to, made.chord, made.errbacks) == ("", None, None)
    assert made.info(safe=True)["args"] == made.argsrepr
    assert str(made).isprintable()
    assert repr(made).isprintable()
    # It goes back into its queue and comes again as the same message.
    again = admit(kombu.utils.json.dumps(admitted.envelope).encode(), "inspect", INSPECT)
    assert again == admitted
    assert Message(admitted, channel=None).serializable() == admitted.envelope
