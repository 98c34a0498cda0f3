"""Inputs that nobody thought of: hypothesis on the message contract, atheris on what reads bytes.

They need no plant. Whatever comes, it is read or refused with a reason; an exception of another
kind would send the message round and round, or end a worker.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from producer.contract import MAX_IMAGES, UnreadableMessageError, parse_message
from tests.acceptance.faults.mode import LONG
from tests.acceptance.faults.results import Row, record
from tests.acceptance.live import message

pytestmark = pytest.mark.timeout(3600)

EXAMPLES = 3_000 if LONG else 100
SECONDS = 120

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children),
    max_leaves=8,
)
FIELDS = ("version", "product", "line", "enqueued_at", "producer", "signature", "images", "other")
IMAGE_FIELDS = ("id", "uri", "camera", "captured_at", "part", "lot", "sha256", "other")


@st.composite
def near_messages(draw: st.DrawFn) -> Any:
    """A message with some fields replaced, or no message at all."""
    if draw(st.integers(0, 9)) == 0:
        return draw(json_values)
    payload = message(Path("/pictures/1.png"), Path("/pictures/2.png"))
    payload.update(draw(st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=2)))
    changes = draw(st.dictionaries(st.sampled_from(IMAGE_FIELDS), json_values, max_size=2))
    if isinstance(payload["images"], list) and payload["images"]:
        first = payload["images"][0]
        payload["images"][0] = {**first, **changes} if isinstance(first, dict) else first
    return payload


def test_hypothesis_on_the_message_contract() -> None:
    seen = 0

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(near_messages())
    def read_or_refused(payload: Any) -> None:
        nonlocal seen
        seen += 1
        try:
            parsed = parse_message(payload)
        except UnreadableMessageError:
            return
        assert 1 <= len(parsed.images) + len(parsed.refusals) <= MAX_IMAGES
        assert all(refusal.detail for refusal in parsed.refusals)

    read_or_refused()
    assert seen >= EXAMPLES
    record(Row("hypothesis on the message contract", "none", seen, 0, 0, 0, None))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["decode", "envelope", "message"])
def test_atheris(name: str, tmp_path: Path) -> None:
    """Coverage-guided, from valid inputs, for a bounded time."""
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("no atheris; `pip install linewatch[fuzz]`")
    began = time.monotonic()
    limits = ["--seconds", str(SECONDS), "--findings", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", f"tests.fuzz.{name}", *limits],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=10 * SECONDS,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    findings = [path.name for path in tmp_path.iterdir()]
    assert (done.returncode, findings) == (0, []), done.stderr[-3000:]
    assert time.monotonic() - began >= SECONDS
    (line,) = (x for x in done.stderr.splitlines() if "number_of_executed_units" in x)
    print(line)
    what = {
        "decode": "the decoder",
        "envelope": "the gate for envelopes",
        "message": "the message contract",
    }[name]
    runs = int(line.split()[-1])
    record(Row(f"atheris on {what} for {SECONDS} s", "none", runs, 0, 0, 0, None))
