"""How far apart commits are."""

from __future__ import annotations

import pytest

from workers.committing import LONGEST_APART_S, SHARE, not_before


def test_commits_take_a_share_of_the_time_at_most() -> None:
    took = SHARE * LONGEST_APART_S / 3
    assert not_before(10.0, 10.0 + took) == pytest.approx(10.0 + took / SHARE)


def test_rows_wait_no_longer_than_nobody_notices() -> None:
    assert not_before(10.0, 10.0 + LONGEST_APART_S / 2) == pytest.approx(10.0 + LONGEST_APART_S)


def test_after_a_slow_commit_the_next_follows_at_once() -> None:
    assert not_before(10.0, 11.0) <= 11.0
