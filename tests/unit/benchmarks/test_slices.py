"""Work in slices: what counts as worked, and that nobody works while another does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.slices import Sliced, awake_s, seconds_in_slices
from tests.support.waiting import until

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")

# Waits for a line; then notes, until it has used so much processor time, when it was awake.
WORKER = """
import sys, time
sys.stdin.readline()
end = time.process_time() + float(sys.argv[1])
with open(sys.argv[2], "w") as notes:
    while time.process_time() < end:
        print(time.time(), file=notes)
        sum(range(20_000))
print(time.time(), flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def state(pid: int) -> str:
    """`T` is a process that stands still."""
    return Path(f"/proc/{pid}/stat").read_text().split()[2]


def working(stack: ExitStack, needs_s: float, notes: Path) -> tuple[Sliced, list[str]]:
    """A process that works so long, and what was done with it, in order."""
    command = [sys.executable, "-c", WORKER, str(needs_s), str(notes)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    stack.callback(process.communicate, timeout=10)
    done: list[str] = []

    def prepare() -> None:
        until(lambda: state(process.pid) == "T")
        done.append("prepared")

    def work() -> float:
        assert process.stdin is not None
        assert process.stdout is not None
        done.append("worked")
        process.stdin.write("go\n")
        process.stdin.flush()
        return float(process.stdout.readline())

    return Sliced(process, work, prepare), done


def test_only_the_time_before_the_end_and_outside_of_ice_counts() -> None:
    spans = [(10.0, 12.0), (20.0, 22.0), (30.0, 32.0)]
    assert awake_s(spans, ended=31.5) == 5.5
    assert awake_s(spans, ended=21.0) == 3.0
    assert awake_s([], ended=5.0) == 0.0


def test_each_works_while_the_others_stand_still(stack: ExitStack, tmp_path: Path) -> None:
    needs_s = {"long": 0.6, "short": 0.2}
    notes = {name: tmp_path / name for name in needs_s}
    made = {name: working(stack, needs_s[name], notes[name]) for name in needs_s}
    took = seconds_in_slices({name: sliced for name, (sliced, _) in made.items()}, slice_s=0.1)
    assert all(done == ["prepared", "worked"] for _, done in made.values())
    assert all(took[name] >= needs_s[name] for name in needs_s), "nobody works while frozen"
    awake = [(float(at), name) for name in notes for at in notes[name].read_text().split()]
    order = [name for _, name in sorted(awake)]
    changes = sum(a != b for a, b in pairwise(order))
    assert changes >= 2, "they took turns"
    assert changes <= 2 * (sum(took.values()) / 0.1 + 2), "and did not work side by side"


def test_what_breaks_is_told_and_nobody_stays_frozen(stack: ExitStack, tmp_path: Path) -> None:
    well, _ = working(stack, 0.1, tmp_path / "well")
    ill, _ = working(stack, 0.1, tmp_path / "ill")

    def broken() -> float:
        ill.work()
        raise OSError("the database is gone")

    with pytest.raises(OSError, match="is gone"):
        seconds_in_slices({"well": well, "ill": Sliced(ill.process, broken)}, slice_s=0.05)
    until(lambda: "T" not in [state(each.process.pid) for each in (well, ill)])


def test_a_side_that_is_gone_leaves_nobody_frozen(stack: ExitStack, tmp_path: Path) -> None:
    gone, _ = working(stack, 0.1, tmp_path / "gone")
    well, _ = working(stack, 0.1, tmp_path / "well")
    gone.process.kill()
    gone.process.wait()

    def broken() -> float:
        raise OSError("the worker ended")

    sides = {"gone": Sliced(gone.process, broken), "well": well}
    with pytest.raises(OSError, match="worker ended"):
        seconds_in_slices(sides, slice_s=0.05)
    until(lambda: state(well.process.pid) != "T")
