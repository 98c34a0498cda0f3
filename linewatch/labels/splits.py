"""Which of train, val and test a picture belongs to: seeded, by class, and whole parts together."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Sequence

from linewatch.errors import LabelError

SPLITS = ("train", "val", "test")
GOLDEN = "golden"  # beside them: what models are compared on


def parse_shares(text: str) -> tuple[float, float, float]:
    """Three shares such as "0.7,0.15,0.15" or "70/15/15"; they are divided by their sum.

    Raises:
        LabelError: there are not three, one is negative, or train gets nothing.
    """
    try:
        values = [float(word) for word in text.replace("/", ",").split(",")]
    except ValueError:
        values = []
    if len(values) != 3 or min(values) < 0 or values[0] <= 0 or not sum(values) < float("inf"):
        raise LabelError(f"{text!r} is no split; say train,val,test as in 0.7,0.15,0.15")
    train, val, test = (value / sum(values) for value in values)
    return train, val, test


def splits(
    labels: Sequence[str],
    groups: Sequence[str],
    shares: Sequence[float],
    seed: int,
    held: Collection[str] = (),
) -> list[str]:
    """A split for each picture.

    Groups are put in an order that their names and the seed decide, so that a new label moves few
    others. In each class the groups fill train, then val, then test, up to its shares; a group's
    class is its first picture's.

    Args:
        labels: n classes.
        groups: n names; pictures of one group (a part seen by several cameras) stay together,
            or a test would ask about a part seen in training.
        shares: of train, val and test; their sum is 1.
        seed: decides the order.
        held: groups that no model may learn from; they are in test, beside its share.
    """
    members: dict[str, int] = defaultdict(int)
    class_of: dict[str, str] = {}
    for label, group in zip(labels, groups, strict=True):
        if group not in held:
            members[group] += 1
            class_of.setdefault(group, label)
    chosen = dict.fromkeys(held, "test")
    for kind in sorted(set(class_of.values())):
        mine = sorted((g for g in members if class_of[g] == kind), key=lambda g: _rank(seed, g))
        total, taken = sum(members[group] for group in mine), 0
        for group in mine:
            middle = (taken + members[group] / 2) / total
            chosen[group] = SPLITS[_place(middle, shares)]
            taken += members[group]
    return [chosen[group] for group in groups]


def _place(position: float, shares: Sequence[float]) -> int:
    if position < shares[0]:
        return 0
    return 1 if position < shares[0] + shares[1] else 2


def _rank(seed: int, group: str) -> str:
    return hashlib.sha256(f"{seed}/{group}".encode("utf-8", "replace")).hexdigest()
