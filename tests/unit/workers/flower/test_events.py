"""Events as Flower may show them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.flower.events import plain
from workers.flower.server import content_security_policy

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
NAMES = st.sampled_from(["args", "result", "active", "loadavg", "runtime", "worker", "x", "pid"])


@settings(deadline=None, max_examples=200)
@given(st.dictionaries(NAMES, JSON))
def test_nothing_but_text_and_numbers_is_left(event: dict[str, Any]) -> None:
    for name, value in plain(event).items():
        if name == "loadavg":
            assert value is None or all(type(n) in (int, float) for n in value)
        elif name in ("active", "runtime", "pid"):
            assert value is None or type(value) in (int, float)
        else:
            assert value is None or type(value) in (str, bool)


def test_a_workers_own_events_stay_as_they_are() -> None:
    received = {
        "type": "task-received",
        "hostname": "w@h",
        "uuid": "u",
        "name": "linewatch.inspect",
        "args": "line-1",
        "kwargs": "{}",
        "retries": 0,
        "eta": None,
        "timestamp": 1.5,
        "utcoffset": -1,
        "pid": 7,
        "clock": 3,
        "local_received": 2.5,
    }
    heartbeat = {"type": "worker-heartbeat", "freq": 2.0, "active": 1, "loadavg": [0.1, 1, 2]}
    assert plain(received) == received
    assert plain(heartbeat) == heartbeat
    assert json.dumps(plain({"args": ["<b>"]})) == '{"args": "[\'<b>\']"}'


def test_the_policy_allows_no_script_but_flowers_own(tmp_path: Any) -> None:
    policy = content_security_policy()
    (scripts,) = [part for part in policy.split("; ") if part.startswith("script-src")]
    assert "unsafe" not in scripts
    assert scripts.count("sha256-") == 2  # one script, with either of two numbers
    (tmp_path / "x.html").write_text("<script>var x = {{ whatever }};</script>")
    assert "sha256" not in content_security_policy(tmp_path)


@pytest.mark.parametrize("value", [["<b>"], {"<b>": 1}, True, "7"])
def test_a_number_that_is_none_is_left_out(value: object) -> None:
    assert plain({"active": value, "args": "x"}) == {"args": "x"}
