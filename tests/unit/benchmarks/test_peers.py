"""The servers that Linewatch is compared with are started as their documentation advises."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.contender import TORCH
from benchmarks.peers.options import OPTIONS, Option, setting
from benchmarks.report import Findings
from linewatch.errors import ServiceError


@pytest.mark.parametrize("peer", OPTIONS)
def test_each_way_to_start_a_server_is_another(peer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    options = OPTIONS[peer]
    assert len({option.name for option in options}) == len(options) > 1
    assert len({str(sorted(option.environment.items())) for option in options}) == len(options)
    for option in options:
        for name, value in option.environment.items():
            monkeypatch.setenv(name, value)
        assert all(setting(name, None) == value for name, value in option.settings.items())
        assert setting("something else", 7) == 7


def test_what_is_advised_for_decoding_is_among_them() -> None:
    tried = [dict(option.settings) for option in OPTIONS["litserve"]]
    assert {"workers": 2} in tried
    assert {"asynchronous": True} in tried
    assert {"replicas": 2} in [dict(option.settings) for option in OPTIONS["rayserve"]]


def test_the_fastest_way_is_compared_and_each_try_is_told() -> None:
    pytest.importorskip("httpx", reason="the client of `pip install linewatch[bench]`")
    from benchmarks.benches.peers import fastest

    rates = dict(
        zip(OPTIONS["litserve"], [[5.0, 6.0, 9.0], [7.0, 7.0, 8.0], None, [1.0] * 3], strict=True)
    )

    @contextmanager
    def started(option: Option) -> Iterator[Any]:
        told = rates[option]
        if told is None:
            raise ServiceError("it ended\nNo room")
        left = iter(told)
        yield SimpleNamespace(images_per_s=lambda _: next(left))

    peer: Any = SimpleNamespace(name="litserve", contender=TORCH, started=started)
    findings = Findings()
    assert fastest(peer, findings, [Path("a")], tries=3) is OPTIONS["litserve"][1]
    assert [row["images_per_s"]["median"] for row in findings.rows] == [6.0, 7.0, 1.0]
    (skipped,) = findings.settings["skipped"].items()
    assert skipped == (f"litserve, torch float32, {OPTIONS['litserve'][2].name}", "No room")
    rates = dict.fromkeys(OPTIONS["litserve"])
    with pytest.raises(ServiceError, match="none of 4 ways"):
        fastest(peer, findings, [], tries=1)
