"""Entries of a message whose fields are odd: some are refused, some only look wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from producer.contract import Reason
from tests.acceptance.faults.corpus import JUDGED, one

Entry = tuple[str, dict[str, Any], frozenset[Reason]]

_REFUSED = one(Reason.INVALID_FIELDS)


def fields(good: bytes) -> Iterator[Entry]:
    """Name, changed fields, and how it ends. The picture itself is good."""
    for name, changes in _refused():
        yield name, changes, _REFUSED
    for name, changes in _odd(good):
        yield name, changes, JUDGED
    yield "another file's hash", {"sha256": "0" * 64}, one(Reason.HASH_MISMATCH)


def _refused() -> Iterator[tuple[str, dict[str, Any]]]:
    nested: Any = "x"
    for _ in range(200):
        nested = [nested]
    wrong: dict[str, list[Any]] = {
        "uri": [None, 7, True, ["/a"], {"path": "/a"}],
        "camera": [None, 7, "", "   ", "x" * 65, "cam\n1", "\x1b[31m", "\0", "\u202ecam", nested],
        "captured_at": [
            None,
            "",
            "yesterday",
            "2026-01-01",
            "2026-01-01T00:00:00",  # which zone?
            "2016-12-31T23:59:60Z",  # a leap second, which datetime does not know
            "2026-02-30T00:00:00Z",
            "2026-01-01T25:00:00Z",
            "2026-01-01T00:00:00+99:00",
            "10000-01-01T00:00:00Z",
            "-0001-01-01T00:00:00Z",
            float("nan"),
            float("inf"),
            1e300,
            10**40,
            {"year": 2026},
        ],
        "part": [7, True, "", "x" * 201, "P\0", "P\ud800", "P\n", ["P"], "x" * 100_000],
        "lot": [0.5, "", "x" * 201, "\udfff", {"a": nested}],
        "sha256": [7, "", "0" * 63, "0" * 65, "Z" * 64, "A" * 64, "0" * 64 + "\n"],
        "attempt": [0, -1, "one", 1.5, None, float("nan"), float("-inf"), [1], 2**31, 10**30],
        "surprise": [nested],
        "seen": [7, {}, {"size": -1}, {"size": True}, {"size": 1.5}, {"size": 1, "sha256": "x"}],
        "pass_number": [0, -1, True, "1", 1.5, 10**7],
        "views": ["cam-1", [], ["a", "a"], [""], ["a\0"], [7], ["a"] * 65, {"a": 1}],
        "work_order": [7, "", "x" * 201, "W\0", "W\ud800"],
        "purpose": ["", "Challenge", "other", 7, ["challenge"]],
        "trace_id": ["", "0" * 32, "A" * 32, "a" * 31, "a" * 33, 7],
    }
    for field, values in wrong.items():
        for value in values:
            yield f"{field!a} is {value!a:.40}", {field: value}


def _odd(good: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "its own hash", {"sha256": hashlib.sha256(good).hexdigest()}
    for when in (
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",  # before the first day, in UTC
        "9999-12-31T23:59:59-14:00",  # after the last
        "9999-12-31T23:59:59.999999Z",
        "1969-12-31T23:59:59.123456-05:30",
        "2026-03-29T02:30:00+01:00",
    ):
        yield f"captured at {when}", {"captured_at": when}
    for name in ("verdict", "__class__", "\ud800", "prat"):
        yield f"{name!a}, which nobody knows", {name: "pass"}
    yield (
        "every field of the contract",
        {
            "seen": {"size": len(good), "inode": 2**64 - 1, "new": {"a": [1]}},
            "pass_number": 2,
            "views": ["cam-1", "\U0001f4f7" * 64],
            "work_order": "W-7",
            "purpose": "challenge",
            "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        },
    )
    for text in (
        "'; DROP TABLE inspections; --",
        "=cmd|'/c calc'!A0",
        "x" * 200,
        "\U0001f527" * 200,
    ):
        yield f"part {text:.20}", {"part": text, "lot": text}
    yield "a camera called as 64 emoji", {"camera": "\U0001f4f7" * 64}
    yield "a camera called null", {"camera": "null"}
