"""Messages of wrong shape: what is pushed to the queue, and what must come of it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from producer.contract import Reason
from tests.acceptance.live import message

_UNREADABLE, _VERSION = Reason.UNREADABLE_MESSAGE, Reason.UNSUPPORTED_VERSION
_FIELDS, _PRODUCT, _JUDGED = Reason.INVALID_FIELDS, Reason.UNKNOWN_PRODUCT, Reason.NO_MODEL


@dataclass(frozen=True, slots=True)
class Sent:
    """A message in the queue.

    Args:
        name: what is wrong with it.
        entry: the whole entry of the Redis list.
        task_id: is in the entry, so its dead letter can be told from others.
        ends: the pictures that must have a row, each with its reason.
        letter: whether the message must be kept as a dead letter.
    """

    name: str
    entry: bytes
    task_id: str
    ends: dict[UUID, Reason] = field(default_factory=dict)
    letter: bool = True


def messages(good: Path) -> Iterator[Sent]:
    """Messages about a good picture, each wrong in another way."""
    for make in (_shapes, _versions, _envelopes, _products):
        for name, reason, payload in make(good):
            letter = reason in (_UNREADABLE, _VERSION)
            yield sent(name, payload, dict.fromkeys(_ids(payload), reason), letter=letter)
    yield from _identities(good)
    yield from _nested(good)
    yield from _typed(good)
    yield from _numbers(good)


def sent(name: str, payload: object, ends: dict[UUID, Reason], *, letter: bool) -> Sent:
    """A message as a standard client sends it, but for its payload."""
    body = json.dumps([[payload], {}, {}]).encode()
    task_id = str(uuid4())
    return Sent(name, entry(body, task_id), task_id, ends, letter)


def entry(body: bytes, task_id: str, **changes: Any) -> bytes:
    """The entry of the Redis list; `changes` replace headers, or in `top` and `properties`."""
    top = changes.pop("top", {})
    properties = {
        "correlation_id": task_id,
        "delivery_tag": str(uuid4()),
        "delivery_mode": 2,
        "delivery_info": {"exchange": "", "routing_key": "inspect"},
        "priority": 0,
        "body_encoding": "base64",
        "reply_to": "",
        **changes.pop("properties", {}),
    }
    headers = {"lang": "py", "task": "linewatch.inspect", "id": task_id, "root_id": task_id}
    headers |= {"retries": 0, "eta": None, "expires": None, "timelimit": [None, None], **changes}
    whole = {
        "body": base64.b64encode(body).decode(),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": headers,
        "properties": properties,
        **top,
    }
    return json.dumps(whole).encode()


def _ids(payload: Any) -> list[UUID]:
    images = payload.get("images") if isinstance(payload, dict) else None
    found = images if isinstance(images, list) else []
    return [UUID(image["id"]) for image in found]


def _shapes(good: Path) -> Iterator[tuple[str, Reason, Any]]:
    for payload in (None, 7, True, "text", "", [], [[]], {}, {"version": 1}, float("nan")):
        reason = _VERSION if payload == {} else _UNREADABLE
        yield f"payload {payload!a}", reason, payload
    for images in (None, {}, [], "picture.png", 7, {"0": {}}):
        yield f"images are {images!a}", _UNREADABLE, message(good, images=images)
    yield "65 images", _UNREADABLE, message(*[good] * 65)
    yield "64 images", _JUDGED, message(*[good] * 64)
    yield "one key too many", _JUDGED, message(good, priority="high")
    yield "a lone surrogate as key", _JUDGED, {**message(good), "\ud800": 1}


def _versions(good: Path) -> Iterator[tuple[str, Reason, Any]]:
    for version in (0, 2, -1, 2**62, "1", "", None, True, [1], {"a": 1}, "\udfff"):
        yield f"version {version!a}", _VERSION, message(good, version=version)
    yield "version 1.0, which JSON cannot tell from 1", _JUDGED, message(good, version=1.0)
    missing = message(good)
    del missing["version"]
    yield "no version", _VERSION, missing


def _envelopes(good: Path) -> Iterator[tuple[str, Reason, Any]]:
    for name in ("product", "line", "enqueued_at"):
        missing = message(good)
        del missing[name]
        yield f"no {name}", _UNREADABLE, missing
        for value in (None, True, "", "x" * 65, "a\0", "\ud800", [], {}):
            yield f"{name} {value!a:.20}", _UNREADABLE, message(good, **{name: value})
    yield "enqueued without zone", _UNREADABLE, message(good, enqueued_at="2026-01-01T00:00:00")
    for producer in (7, "", "a b", "a\n", "\ud800", "\0", "../x", "*", "x" * 129, "x" * 10**6, []):
        yield f"producer {producer!a:.20}", _UNREADABLE, message(good, producer=producer)


def _products(good: Path) -> Iterator[tuple[str, Reason, Any]]:
    for product in (
        "gadget",
        "'; DROP TABLE inspections; --",
        'widget" OR "1"="1',
        "../../products/widget",
        "%",
        "WIDGET",
        "wid\u200dget"[:3] + "get\u00e9",
        "{0.__class__}",
        "$(reboot)",
    ):
        yield f"product {product!a}", _PRODUCT, message(good, product=product)


def _identities(good: Path) -> Iterator[Sent]:
    for bad in (None, "", "7", "not-a-uuid", "\ud800", 7, 1.5, True, [], {}, "0" * 33, "g" * 32):
        payload = message(good, good)
        payload["images"][1]["id"] = bad
        ends = {UUID(payload["images"][0]["id"]): _JUDGED}
        yield sent(f"id {bad!a}", payload, ends, letter=True)
    for entry_ in (None, 7, "x", [], {}):
        payload = message(good)
        ends = dict.fromkeys(_ids(payload), _JUDGED)
        payload["images"].append(entry_)
        yield sent(f"an image that is {entry_!a}", payload, ends, letter=True)
    fresh = uuid4().hex
    for version in "1235678":
        id_ = UUID(f"{fresh[:12]}{version}{fresh[13:]}")
        yield _called(good, f"UUID of version {version}", str(id_), id_)
    for form in ("{%s}", "urn:uuid:%s", "%s"):
        id_ = uuid4()
        yield _called(good, f"id written as {form}", form % str(id_).upper(), id_)
    for number, name in ((0, "nil"), (2**128 - 1, "max")):
        yield _called(good, f"{name} UUID", str(UUID(int=number)), UUID(int=number))
    payload = message(good, good)
    payload["images"][1]["id"] = payload["images"][0]["id"]
    yield sent("one id twice", payload, dict.fromkeys(_ids(payload), _JUDGED), letter=False)
    for number in range(3):
        yield sent(f"copy {number}", payload, dict.fromkeys(_ids(payload), _JUDGED), letter=False)


def _called(good: Path, name: str, written: str, id_: UUID) -> Sent:
    payload = message(good)
    payload["images"][0]["id"] = written
    return sent(name, payload, {id_: _JUDGED}, letter=False)


def _nested(good: Path) -> Iterator[Sent]:
    """Depths around those at which one parser or another gives up, and far beyond ours."""
    for depth in (50, 400, 800, 960, 1100, 50_000):
        for place in ("version", "product", "id", "extra", "top"):
            payload = message(good)
            kept = {UUID(payload["images"][0]["id"])} if place != "id" else set()
            image = payload["images"][0]
            where = {"id": image, "extra": image}.get(place, payload)
            where[place] = "HERE"
            text = json.dumps([[payload], {}, {}]).replace('"HERE"', "[" * depth + "]" * depth)
            task_id = str(uuid4())
            name = f"{place} {depth} deep"
            reason = {"version": _VERSION, "extra": _FIELDS}.get(place, _UNREADABLE)
            # What is deeper is not read at all, so no id can be made out.
            ends = dict.fromkeys(kept, reason) if depth <= 50 else {}
            letter = place != "extra" or depth > 50
            yield Sent(name, entry(text.encode(), task_id), task_id, ends, letter)


def _numbers(good: Path) -> Iterator[Sent]:
    """Numbers that are none are their field's mistake; what would cost time is not read at all."""
    for number in (
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        str(2**64),
        "9" * 400,
        "0." + "1" * 99,
        "9" * 5000,
        "0." + "1" * 5000,
    ):
        for place, reason in (("version", _VERSION), ("attempt", _FIELDS)):
            payload = message(good)
            (payload["images"][0] if place == "attempt" else payload)[place] = "HERE"
            text = json.dumps([[payload], {}, {}]).replace('"HERE"', number)
            task_id, read = str(uuid4()), len(number) <= 400
            ends = dict.fromkeys(_ids(payload), reason) if read else {}
            letter = not read or place == "version"
            name = f"{place} {number:.20} of {len(number)}"
            yield Sent(name, entry(text.encode(), task_id), task_id, ends, letter)
    for attempt in (0, -1, 2**31, 1.5, 1e300, "1", "", None, True, [], {}):
        payload = message(good)
        payload["images"][0]["attempt"] = attempt
        ends = dict.fromkeys(_ids(payload), _FIELDS)
        yield sent(f"attempt {attempt!a}", payload, ends, letter=False)


def _typed(good: Path) -> Iterator[Sent]:
    """Kombu's JSON would make objects of `{"__type__": …}`; here they are what they are."""
    typed = {"decimal": "1e999999999", "uuid": "zz", "datetime": "x", "bytes": "gadget"}
    for kind, value in typed.items():
        for place in ("version", "product", "images"):
            payload = message(good, **{place: {"__type__": kind, "__value__": value}})
            yield sent(f"{place} of type {kind}", payload, {}, letter=True)
        payload = message(good)
        payload["images"][0]["attempt"] = {"__type__": kind, "__value__": value}
        ends = dict.fromkeys(_ids(payload), _FIELDS)
        yield sent(f"attempt of type {kind}", payload, ends, letter=False)
    twice = message(good)
    ends = dict.fromkeys(_ids(twice), _JUDGED)
    body = json.dumps([[twice], {}, {}]).replace('"version": 1', '"version": 9, "version": 1')
    task_id = str(uuid4())
    yield Sent("one key twice", entry(body.encode(), task_id), task_id, ends, letter=False)
