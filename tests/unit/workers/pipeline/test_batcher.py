"""The micro-batcher, with a clock that the test moves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.pipeline.batcher import MicroBatcher


def test_nothing_waits_nothing_is_due() -> None:
    assert MicroBatcher[int](4, 1.0).due_in(0.0) is None
    assert MicroBatcher[int](4, 1.0).take() == []


def test_a_full_batch_is_due_at_once() -> None:
    batcher = MicroBatcher[int](2, 10.0)
    batcher.add(1, lane="a", now=0.0)
    assert batcher.due_in(0.0) == 10.0
    batcher.add(2, lane="a", now=0.0)
    assert batcher.due_in(0.0) == 0.0
    assert batcher.take() == [1, 2]


def test_the_oldest_item_sets_the_deadline() -> None:
    batcher = MicroBatcher[int](8, 0.010)
    batcher.add(1, lane="a", now=5.000)
    batcher.add(2, lane="b", now=5.008)
    assert batcher.due_in(5.008) == pytest.approx(0.002)
    assert batcher.due_in(5.020) == 0.0


def test_no_delay_means_at_once() -> None:
    batcher = MicroBatcher[int](8, 0.0)
    batcher.add(1, lane="a", now=5.0)
    assert batcher.due_in(5.0) == 0.0


def test_a_line_that_bursts_does_not_starve_another() -> None:
    batcher = MicroBatcher[str](4, 1.0)
    for number in range(100):
        batcher.add(f"burst-{number}", lane="burst", now=0.0)
    batcher.add("single", lane="calm", now=0.0)
    assert "single" in batcher.take()


def test_impossible_limits_are_refused() -> None:
    with pytest.raises(ValueError, match="max_batch"):
        MicroBatcher[int](0, 1.0)
    with pytest.raises(ValueError, match="max_delay_s"):
        MicroBatcher[int](1, -1.0)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers()), max_size=60),
    st.integers(min_value=1, max_value=7),
)
def test_everything_comes_out_once_and_in_order_within_its_lane(
    items: list[tuple[str, int]], max_batch: int
) -> None:
    batcher = MicroBatcher[tuple[str, int]](max_batch, 1.0)
    for place, (lane, value) in enumerate(items):
        batcher.add((lane, value), lane=lane, now=float(place))
    taken: list[tuple[str, int]] = []
    while batch := batcher.take():
        assert len(batch) <= max_batch
        taken += batch
    assert len(batcher) == 0
    for name in "abc":
        assert [i for i in taken if i[0] == name] == [i for i in items if i[0] == name]


def test_a_newest_first_lane_gives_its_newest_and_others_their_oldest() -> None:
    batcher = MicroBatcher[str](4, 1.0, lambda lane: lane == "hasty")
    for number in range(3):
        batcher.add(f"calm-{number}", lane="calm", now=0.0)
        batcher.add(f"hasty-{number}", lane="hasty", now=0.0)
    assert batcher.take() == ["calm-0", "hasty-2", "calm-1", "hasty-1"]


def test_a_policy_that_changes_loses_nothing() -> None:
    hasty = {"a"}
    batcher = MicroBatcher[int](2, 1.0, lambda lane: lane in hasty)
    for number in range(4):
        batcher.add(number, lane="a", now=0.0)
    first = batcher.take()
    hasty.clear()
    assert (first, batcher.take()) == ([3, 2], [0, 1])


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(), st.booleans()), max_size=80),
    st.integers(min_value=1, max_value=7),
    st.frozensets(st.sampled_from("abc")),
)
def test_whatever_the_policies_each_take_is_from_the_right_end(
    steps: list[tuple[str, int, bool]], max_batch: int, hasty: frozenset[str]
) -> None:
    batcher = MicroBatcher[tuple[str, int, int]](max_batch, 1.0, hasty.__contains__)
    waiting: dict[str, list[tuple[str, int, int]]] = {name: [] for name in "abc"}
    for place, (lane, value, take) in enumerate(steps):
        item = (lane, value, place)
        batcher.add(item, lane=lane, now=float(place))
        waiting[lane].append(item)
        for taken in batcher.take() if take else []:
            rest = waiting[taken[0]]
            assert taken == rest.pop(-1 if taken[0] in hasty else 0)
    assert len(batcher) == sum(map(len, waiting.values()))


def test_nobody_waits_for_what_is_not_coming() -> None:
    batcher = MicroBatcher[int](8, 10.0)
    assert batcher.due_in(5.0, coming=False) is None
    batcher.add(1, lane="a", now=5.0)
    assert batcher.due_in(5.0, coming=True) == 10.0
    assert batcher.due_in(5.0, coming=False) == 0.0


def test_a_batch_spans_messages_and_a_message_spans_batches() -> None:
    batcher = MicroBatcher[tuple[str, int]](4, 1.0)
    for message, count in (("a", 3), ("b", 6)):
        for number in range(count):
            batcher.add((message, number), lane="line-1", now=0.0)
    first, second, third = batcher.take(), batcher.take(), batcher.take()
    assert first == [("a", 0), ("a", 1), ("a", 2), ("b", 0)]
    assert (len(second), len(third)) == (4, 1)


def test_a_smaller_limit_holds_from_the_next_batch_on() -> None:
    batcher = MicroBatcher[int](8, 10.0)
    for number in range(8):
        batcher.add(number, lane="a", now=0.0)
    batcher.max_batch = 4
    assert batcher.due_in(0.0) == 0.0
    assert batcher.take() == [0, 1, 2, 3]
    assert batcher.take() == [4, 5, 6, 7]
