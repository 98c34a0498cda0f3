"""The Pareto of defect classes, where a part may have several. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ParetoRow:
    """A defect class and the nonconforming parts that have it.

    Attributes:
        parts: that have this class, alone or beside others.
        share: of all nonconforming parts. Shares add up to more than 1 where parts have several.
        cumulative: the share of nonconforming parts that have this class or one before it: what
            would be gone if these classes were. It ends at 1, and no part is in it twice.
    """

    name: str
    parts: int
    share: float
    cumulative: float


def pareto(combinations: Mapping[tuple[str, ...], int]) -> list[ParetoRow]:
    """The classes by the number of parts that have them, equals by name.

    Args:
        combinations: each combination of classes on one part, to the number of such parts.
    """
    total = sum(combinations.values())
    by_class: Counter[str] = Counter()
    for classes, parts in combinations.items():
        by_class.update(dict.fromkeys(classes, parts))
    rows, left = [], dict(combinations)
    for name, parts in sorted(by_class.items(), key=lambda item: (-item[1], item[0])):
        if parts == 0:
            continue
        left = {classes: count for classes, count in left.items() if name not in classes}
        rows.append(ParetoRow(name, parts, parts / total, (total - sum(left.values())) / total))
    return rows
