"""Fuzzes the gate: any bytes are refused with a reason, or become a task like any other."""

from __future__ import annotations

import json
from pathlib import Path

import atheris

with atheris.instrument_imports(
    include=["workers.broker.envelope", "workers.broker.argsrepr", "producer"]
):
    from producer.contract import strict_json
    from workers.broker.envelope import Admitted, RefusedError, admit

from tests.acceptance.faults.corpus_messages import entry
from tests.acceptance.live import message
from tests.fuzz.engine import MAX_INPUT_BYTES, fuzz
from tests.support.hostile import CHANGES, mutated
from workers.config import TASKS

MAX_BYTES = 64 * 1024


def test_one(data: bytes) -> None:
    """Give the gate the bytes, and envelopes with the bytes in them."""
    _admit(data)
    _admit(entry(data, "task-1"))
    dice = atheris.FuzzedDataProvider(data)
    picks = [dice.ConsumeIntInRange(0, len(CHANGES) - 1) for _ in range(3)]
    envelope = json.loads(entry(BODY, "task-1"))
    for pick in picks:
        envelope = mutated(envelope, CHANGES[pick], _value(dice))
    _admit(json.dumps(envelope).encode())


def _admit(item: bytes) -> None:
    try:
        admitted = admit(item, "inspect", TASKS["inspect"], MAX_BYTES)
    except RefusedError:
        return
    _check(admitted)


def _check(admitted: Admitted) -> None:
    headers, properties = admitted.envelope["headers"], admitted.envelope["properties"]
    assert headers.keys() <= HEADERS
    assert properties.keys() == PROPERTIES
    assert headers["task"] in TASKS["inspect"]
    for text in (headers["id"], headers["argsrepr"], properties["delivery_tag"]):
        assert isinstance(text, str)
        assert len(text) <= 255
        assert text.isprintable()
    assert [type(part) for part in admitted.body] == [list, dict, dict]
    again = admit(json.dumps(admitted.envelope).encode(), "inspect", TASKS["inspect"])
    assert again == admitted


def _value(dice: atheris.FuzzedDataProvider) -> object:
    """JSON out of the bytes, if they are any; else the text that they are."""
    text = dice.ConsumeBytes(dice.ConsumeIntInRange(0, 60))
    try:
        return strict_json.loads(text)
    except strict_json.StrictJsonError:
        return text.decode("latin-1")


BODY = json.dumps([[message(Path("/pictures/1.png"))], {}, {}]).encode()
_MADE = admit(
    entry(BODY, "i", properties={"delivery_info": {"redelivered": True}}),
    "inspect",
    TASKS["inspect"],
)
HEADERS = _MADE.envelope["headers"].keys()
PROPERTIES = _MADE.envelope["properties"].keys()

if __name__ == "__main__":
    seeds = [entry(BODY, "task-1"), BODY, b"[[], {}, {}]", b'[[{"__type__": 1}], {}, null]']
    fuzz(test_one, [seed for seed in seeds if len(seed) <= MAX_INPUT_BYTES])
