"""Fuzzes the message contract: whatever JSON says is read, or refused with a reason."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["producer.contract"]):
    from producer.contract import MAX_IMAGES, SigningKeys, UnreadableMessageError, parse_message

from tests.acceptance.live import message
from tests.fuzz.engine import fuzz

KEYS = SigningKeys({"k": b"s" * 32})
FIELDS = [
    "version",
    "product",
    "line",
    "enqueued_at",
    "producer",
    "signature",
    "images",
    "site",
    "other",
]
IMAGE_FIELDS = [
    *("id", "uri", "camera", "captured_at", "part", "lot", "sha256", "attempt", "other"),
    *("seen", "pass_number", "views", "work_order", "purpose", "trace_id"),
]
DEPTH = 4


def test_one(data: bytes) -> None:
    """Parse a message with a few fields replaced; every exception but the one promised is found."""
    dice = atheris.FuzzedDataProvider(data)
    payload = message(Path("/pictures/1.png"), Path("/pictures/2.png"))
    payload["signature"] = {"key": "k", "mac": "0" * 64}
    replaced: dict[str, Any] = {}
    for _ in range(dice.ConsumeIntInRange(1, 4)):
        if dice.ConsumeBool():
            payload["images"][0][dice.PickValueInList(IMAGE_FIELDS)] = _value(dice, DEPTH)
        elif dice.ConsumeBool():
            payload["signature"][dice.PickValueInList(["key", "mac"])] = _value(dice, DEPTH)
        else:
            replaced[dice.PickValueInList(FIELDS)] = _value(dice, DEPTH)
    for keys in (None, KEYS):
        try:
            parsed = parse_message({**payload, **replaced}, keys)
        except UnreadableMessageError:
            continue
        assert 1 <= len(parsed.images) + len(parsed.refusals) <= MAX_IMAGES


def _value(dice: Any, depth: int) -> Any:
    """Anything that kombu makes of JSON, surrogates, NaN and decimals included."""
    kind = dice.ConsumeIntInRange(0, 9 if depth else 7)
    if kind == 8:
        return [_value(dice, depth - 1) for _ in range(dice.ConsumeIntInRange(0, 5))]
    if kind == 9:
        names = range(dice.ConsumeIntInRange(0, 3))
        return {dice.ConsumeUnicode(5): _value(dice, depth - 1) for _ in names}
    makers = [
        lambda: None,
        dice.ConsumeBool,
        lambda: dice.ConsumeInt(12),
        dice.ConsumeFloat,
        lambda: dice.ConsumeUnicode(80),
        lambda: dice.ConsumeString(300),
        lambda: dice.PickValueInList([Decimal("sNaN"), Decimal(1), 1, "k", "0" * 64, "\ud800"]),
        lambda: dice.PickValueInList(["2026-01-01T00:00:00Z", "/pictures/1.png", "widget"]),
    ]
    return makers[kind]()


if __name__ == "__main__":
    fuzz(test_one, [bytes(range(256)), b"\xff" * 200, bytes(200)])
