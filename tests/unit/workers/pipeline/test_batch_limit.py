"""The limit that out-of-memory halves."""

from __future__ import annotations

import pytest

from workers.pipeline.batch_limit import BatchLimit


def test_it_halves_and_remembers() -> None:
    limit = BatchLimit(32)
    limit.too_many(32)
    assert limit.value == 16
    limit.too_many(16)
    limit.fitted(8)
    assert limit.value == 8


def test_it_never_falls_below_one_picture() -> None:
    limit = BatchLimit(2)
    for _ in range(3):
        limit.too_many(1)
    assert limit.value == 1


def test_a_late_failure_of_a_larger_batch_does_not_raise_it() -> None:
    limit = BatchLimit(64)
    limit.too_many(8)
    limit.too_many(64)
    assert limit.value == 4


def test_it_grows_back_ever_more_slowly_and_never_too_far() -> None:
    limit = BatchLimit(8, patience=2)
    limit.too_many(8)
    for _ in range(3):
        limit.fitted(4)
    assert limit.value == 4
    limit.fitted(3)  # a smaller batch proves nothing
    assert limit.value == 4
    limit.fitted(4)
    assert limit.value == 8
    limit.too_many(8)
    for _ in range(7):
        limit.fitted(4)
    assert limit.value == 4
    limit.fitted(4)
    assert limit.value == 8


def test_impossible_limits_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        BatchLimit(0)
