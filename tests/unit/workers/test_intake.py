"""Which messages are parked for another worker."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from producer.contract import TASK, SigningKeys
from tests.acceptance.live import message
from workers.intake import _unserved

KEYS = SigningKeys.parse("k:" + "s" * 40)


def parked(payload: Any, keys: SigningKeys = KEYS, *, required: bool = True) -> bool:
    runtime: Any = SimpleNamespace(
        residency=SimpleNamespace(unserved={"widget": "no champion"}),
        keys=keys,
        require_signatures=required,
    )
    return _unserved(SimpleNamespace(payload=[[payload], {}, {}], headers={"task": TASK}), runtime)


def test_what_another_worker_can_judge_is_parked() -> None:
    assert parked(KEYS.sign(message("/p.png")))
    assert parked(message("/p.png"), SigningKeys(), required=False)
    assert parked(message("/p.png"), required=False)
    assert not parked(KEYS.sign(message("/p.png", product="gadget")))


@pytest.mark.parametrize(
    "payload",
    [
        message("/p.png"),
        message("/p.png", signature={"key": "k", "mac": "0" * 64}),
        SigningKeys.parse("k:" + "x" * 40).sign(message("/p.png")),
        *({"product": "widget"}, {"product": []}, {}, None, 7, []),
    ],
)
def test_what_nobody_signed_does_not_go_round(payload: Any) -> None:
    assert not parked(payload)
