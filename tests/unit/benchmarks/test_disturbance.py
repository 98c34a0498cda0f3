"""Rounds that something else disturbed are thrown out, counted, and run again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import pytest

from benchmarks.disturbance import MOST_FOREIGN, MOST_STEAL, Conditions, Snapshot, between
from benchmarks.paired import in_rounds, interleave, narrow, rate, ratio

QUIET = Conditions(0.0, 0.0, 0.5)
STOLEN = Conditions(MOST_STEAL + 0.01, 0.0, 0.5)
BUSY = Conditions(0.0, MOST_FOREIGN + 0.3, 3.0)


def seen(*rounds: Conditions) -> Callable[[Callable[[], None]], Conditions]:
    """A machine that is in these conditions, round after round."""
    told = iter(rounds)

    def watch(run: Callable[[], None]) -> Conditions:
        run()
        return next(told)

    return watch


def counting(*values: float) -> Callable[[], float]:
    told: Iterable[float] = iter(values)
    return lambda: next(told)  # type: ignore[call-overload, no-any-return]


def test_what_a_span_cost_whom() -> None:
    before = Snapshot(passed=100.0, stolen=1.0, busy=50.0, ours=20.0)
    after = Snapshot(passed=120.0, stolen=2.0, busy=66.0, ours=34.0)
    found = between(before, after, load=1.5)
    assert (found.steal, found.foreign, found.load) == pytest.approx((0.05, 0.1, 1.5))
    assert found.disturbed
    # Books that are read one after the other may differ by a little: never below nothing.
    assert between(before, Snapshot(120.0, 1.0, 60.0, 33.0), 0.0).foreign == 0.0


@pytest.mark.parametrize(
    ("conditions", "disturbed"),
    [
        (QUIET, False),
        (Conditions(MOST_STEAL, MOST_FOREIGN, 9.0), False),
        (STOLEN, True),
        (BUSY, True),
    ],
)
def test_steal_and_foreign_work_disturb(conditions: Conditions, disturbed: bool) -> None:
    assert conditions.disturbed is disturbed


def test_disturbed_rounds_are_thrown_out_and_run_again() -> None:
    runs = {"a": counting(1, 90, 2, 3), "b": counting(10, 1, 20, 30)}
    turns = interleave(runs, 3, watch=seen(QUIET, BUSY, QUIET, QUIET))
    assert turns.results == {"a": [1, 2, 3], "b": [10, 20, 30]}
    assert turns.thrown_out == 1
    assert [row["used"] for row in turns.rows("x")] == [True, False, True, True]
    assert turns.rows("x")[1]["foreign %"] == pytest.approx(35)
    found = ratio(turns, "b", "a")
    assert (found["median"], found["rounds"], found["thrown_out"]) == (pytest.approx(10), 3, 1)
    assert rate(turns, "a")["thrown_out"] == 1


def test_there_is_an_end_to_it_and_what_is_missing_is_told() -> None:
    turns = interleave({"a": counting(*range(1, 9))}, 3, again=2, watch=seen(QUIET, *[BUSY] * 7))
    assert (turns["a"], turns.thrown_out) == ([1], 4)
    assert rate(turns, "a")["low"] is None  # hence met by nothing


def one_beside_another(*rates: float) -> Callable[[Sequence[str]], dict[str, float]]:
    told = iter(rates)
    return lambda names: {name: next(told) if name == "a" else 1.0 for name in names}


def test_it_goes_on_until_the_interval_is_narrow_and_no_longer() -> None:
    run = one_beside_another(9, 1.1, 0.95, 1, 1, 1, 9)
    until, quiet = narrow(["a"], "b", 0.08), seen(BUSY, *[QUIET] * 6)
    turns = in_rounds(["a", "b"], run, 3, until=until, at_most=6, watch=quiet)
    assert (turns["a"], turns.thrown_out) == ([1.1, 0.95, 1, 1, 1], 1)
    low, high = (ratio(turns, "a", "b")[end] for end in ("low", "high"))
    assert low < 1 < high <= low * 1.08**2


@pytest.mark.parametrize("at_most", [None, 3, 5])
def test_where_it_stays_wide_it_ends_all_the_same(at_most: int | None) -> None:
    run, until = one_beside_another(1, 2, 1, 2, 1, 2), narrow(["a"], "b", 0.01)
    quiet = seen(*[QUIET] * 6)
    turns = in_rounds(["a", "b"], run, 3, until=until, at_most=at_most, watch=quiet)
    assert len(turns["a"]) == (at_most or 3)


def test_where_no_round_was_quiet_the_least_disturbed_is_kept() -> None:
    rounds = [BUSY, STOLEN, BUSY]
    turns = interleave({"a": counting(1, 2, 3)}, 2, again=1, watch=seen(*rounds))
    assert (turns["a"], turns.thrown_out) == ([2], 2)


SPIN = """
import time
end = time.process_time() + 0.5
while time.process_time() < end:
    sum(range(100_000))
print()
"""
DETACHED = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', sys.argv[1]])"


@contextmanager
def cost() -> Iterator[list[float]]:
    """Processor seconds in the block: everybody's, and ours."""
    before, spent = Snapshot.now(), []
    yield spent
    after = Snapshot.now()
    spent += [after.busy - before.busy, after.ours - before.ours]


def test_work_of_a_child_is_ours_while_it_lives_and_afterwards() -> None:
    command = [sys.executable, "-c", SPIN + "input()"]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with cost() as alive:
        assert child.stdout is not None
        child.stdout.readline()
    with cost() as ended:
        child.communicate(b"\n")
    assert alive[1] > 0.35
    assert -0.2 < ended[1] < 0.3  # what it had used is neither lost nor counted once more


def test_work_of_somebody_else_is_not_ours() -> None:
    with cost() as spent:  # its parent ends at once, so that it is nobody's child of ours
        command = [sys.executable, "-c", DETACHED, SPIN]
        subprocess.run(command, check=True, capture_output=True)  # until all have let go of stdout
    everybody, ours = spent
    assert everybody > 0.35
    assert ours < everybody - 0.3
