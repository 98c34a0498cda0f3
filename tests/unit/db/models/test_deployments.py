from __future__ import annotations

import pytest

from db.models.deployments import earlier_champions


@pytest.mark.parametrize(
    ("history", "earlier"),
    [
        ([], []),
        (["A"], []),
        (["A", "B"], ["A"]),
        (["A", "B", "A"], []),
        (["A", "B", "C", "B"], ["A"]),  # never forward to C, which was rolled back from
        (["A", "B", "C", "B", "A"], []),
        (["A", "B", "A", "C"], ["A"]),
        (["A", "B", None], ["A", "B"]),  # retired: undo brings B back
        (["A", "A"], []),
    ],
)
def test_what_a_rollback_can_return_to(history: list[str | None], earlier: list[str]) -> None:
    assert earlier_champions(history) == earlier
