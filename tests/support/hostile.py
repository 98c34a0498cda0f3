"""Envelopes that whoever may push to the queue could send: mutations of a good one. Pure."""

from __future__ import annotations

import base64
import copy
import gzip
import json
import random
import zlib
from collections.abc import Callable
from typing import Any

HEADERS = (
    *("lang", "task", "id", "shadow", "eta", "expires", "group", "group_index", "retries"),
    *("timelimit", "root_id", "parent_id", "argsrepr", "kwargsrepr", "origin", "ignore_result"),
    *("replaced_task_nesting", "stamped_headers", "stamps", "compression", "redelivered", "args"),
    *(
        "reply_to",
        "chord",
        "chain",
        "callbacks",
        "errbacks",
        "meth",
        "linewatch_handed_back",
        "kwargs",
    ),
    *("headers", "properties", "delivery_info", "hostname", "is_eager", "groups", "unheard_of"),
)
PROPERTIES = (
    *("correlation_id", "reply_to", "delivery_mode", "delivery_info", "priority", "body_encoding"),
    *("delivery_tag", "expiration", "type", "message_id", "user_id", "application_headers"),
)
INFO = ("exchange", "routing_key", "redelivered", "consumer_tag", "priority")
TOP = ("body", "content-type", "content-encoding", "headers", "properties", "more")

# Where in an envelope something else stands: the path to it.
CHANGES: tuple[tuple[str, ...], ...] = (
    *(("headers", name) for name in HEADERS),
    *(("properties", name) for name in PROPERTIES),
    *(("properties", "delivery_info", name) for name in INFO),
    *((name,) for name in TOP),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 7.5, 2**63, -(2**70), 1e308, float("nan"), float("inf")),
    *(
        "",
        "x",
        "0",
        "gzip",
        "application/x-gzip",
        "zlib",
        "bzip2",
        "lzma",
        "zstd",
        "base64",
        "utf-16",
    ),
    *("celery.group", "celery.chord_unlock", "celery.map", "celery.chunks", "celery.accumulate"),
    *("linewatch.retrain", "linewatch.maintenance", "linewatch.inspect", "inspect", "train"),
    *("2999-01-01T00:00:00+00:00", "2001-01-01T00:00:00", "x\nforged", "\x1b[2J\x9b", "\u202e"),
    *("\ud800", "\0", "x" * 300, "é" * 300, "<img src=x onerror=alert(1)>", "9" * 5000),
    *([], [[]], [{}], ["a"], [None, None], [0.001, 0.001], {}, {"x": 1}, {"a": {"b": []}}),
    *([["task", {}]], {"task": "linewatch.retrain", "args": [], "kwargs": {}, "options": {}}),
    *({"__type__": "decimal", "__value__": "1e999999999"}, {"__type__": "uuid", "__value__": {}}),
    *({"__type__": "datetime", "__value__": "x"}, {"__type__": "bytes", "__value__": 1}),
)
# What has ended workers, or left them alive and idle: often among the others.
KNOWN: tuple[tuple[tuple[str, ...], Any], ...] = (
    (("headers", "stamped_headers"), [{}]),
    (("headers", "shadow"), {"x": 1}),
    (("headers", "id"), {}),
    (("headers", "id"), "x" * 1000),
    (("headers", "compression"), "gzip"),
    (("headers", "task"), "celery.chord_unlock"),
    (("headers", "argsrepr"), ["<img src=x onerror=alert(1)>"]),
    (("headers", "retries"), {"__type__": "decimal", "__value__": "1e9999999"}),
    (("properties", "reply_to"), {}),
    (("properties", "priority"), [[]]),
    (("properties", "delivery_info"), {"exchange": {}, "routing_key": []}),
)
_BOMB = zlib.compress(b" " * 10_000_000)


def mutated(envelope: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """The envelope with `value` at `path`, as far as that still leads anywhere."""
    whole = copy.deepcopy(envelope)
    place: Any = whole
    for name in path[:-1]:
        place = place.get(name) if isinstance(place, dict) else None
    if isinstance(place, dict):
        place[path[-1]] = value
    return whole


def hostile(dice: random.Random, good: Callable[[], bytes]) -> bytes:
    """An entry for the queue: a good one of the caller's, changed in one to four ways."""
    envelope = json.loads(good())
    if dice.random() < 0.2:
        return json.dumps(mutated(envelope, *dice.choice(KNOWN))).encode()
    for _ in range(dice.randint(1, 4)):
        envelope = mutated(envelope, dice.choice(CHANGES), _value(dice))
    if dice.random() < 0.3 and isinstance(envelope.get("body"), str):
        envelope["body"] = base64.b64encode(_body(dice, envelope["body"])).decode()
    text = json.dumps(envelope).encode()
    return _bytes(dice, text) if dice.random() < 0.15 else text


def _value(dice: random.Random) -> Any:
    value = dice.choice(VALUES)
    if dice.random() < 0.1:
        return [value] * dice.randint(1, 40)
    if dice.random() < 0.1:
        return {dice.choice(HEADERS): value, dice.choice(HEADERS): dice.choice(VALUES)}
    return value


def _body(dice: random.Random, text: str) -> bytes:
    """Another body: packed, cut, nested, with numbers that are none, or other arguments."""
    try:
        body = base64.b64decode(text)
    except ValueError:
        return text.encode(errors="replace")
    number = dice.choice([b"9" * 5000, b"1e999", b"NaN", b"-Infinity", b"[" * 200 + b"]" * 200])
    value = json.dumps(dice.choice(VALUES)).encode()
    makers: tuple[Callable[[], bytes], ...] = (
        lambda: zlib.compress(body),
        lambda: gzip.compress(body),
        lambda: _BOMB,
        lambda: body[: dice.randrange(len(body) + 1)],
        lambda: body.replace(b'"version": 1', b'"version": ' + number),
        lambda: body.replace(b'"camera"', b'"attempt": ' + value + b', "camera"'),
        lambda: body.replace(b'"version": 1', b'"version": 1, "a\\u001b\\nb": ' + value),
        lambda: b"[[" + value + b"], {}, {}]",
        lambda: b"[[], " + value + b", {}]",
        lambda: b"[[], {}, " + value + b"]",
        lambda: b"[" * 50_000,
        lambda: body.ljust(1_200_000),
        lambda: body.decode("latin-1").encode("utf-16"),
    )
    return dice.choice(makers)()


def _bytes(dice: random.Random, text: bytes) -> bytes:
    """Something that is hardly an envelope any more."""
    at = dice.randrange(len(text))
    noise = dice.randbytes(dice.randint(1, 8))
    return dice.choice(
        (text[:at], text[:at] + noise + text[at + len(noise) :], noise, text * 2, b"")
    )
