from __future__ import annotations

from collections import Counter

import pytest

from linewatch.errors import LabelError
from linewatch.labels.splits import parse_shares, splits

SHARES = (0.7, 0.15, 0.15)


def test_every_class_is_split_by_the_shares() -> None:
    labels = ["a"] * 100 + ["b"] * 20
    found = splits(labels, [str(n) for n in range(120)], SHARES, seed=1)
    assert Counter(found[:100]) == {"train": 70, "val": 15, "test": 15}
    assert Counter(found[100:]) == {"train": 14, "val": 3, "test": 3}
    assert found == splits(labels, [str(n) for n in range(120)], SHARES, seed=1)
    assert found != splits(labels, [str(n) for n in range(120)], SHARES, seed=2)


def test_pictures_of_one_part_stay_together() -> None:
    labels, groups = ["a", "b"] * 60, [f"part {n // 4}" for n in range(120)]
    found = splits(labels, groups, SHARES, seed=0)
    for part in set(groups):
        assert (
            len({split for split, group in zip(found, groups, strict=True) if group == part}) == 1
        )
    assert set(found) == {"train", "val", "test"}


def test_a_new_label_moves_few_others() -> None:
    groups = [str(n) for n in range(200)]
    before = splits(["a"] * 200, groups, SHARES, seed=5)
    after = splits(["a"] * 210, groups + [f"new {n}" for n in range(10)], SHARES, seed=5)
    moved = sum(a != b for a, b in zip(before, after[:200], strict=True))
    assert moved < 10


def test_shares() -> None:
    assert parse_shares("8,1,1") == pytest.approx((0.8, 0.1, 0.1))
    assert parse_shares("70/30/0") == pytest.approx((0.7, 0.3, 0))
    for text in ("", "1,1", "a,b,c", "0,1,1", "1,-1,1", "inf,1,1", "nan,1,1"):
        with pytest.raises(LabelError, match="is no split"):
            parse_shares(text)
