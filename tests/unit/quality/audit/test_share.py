from __future__ import annotations

import pytest

from quality.audit.share import share_in_force


@pytest.mark.parametrize(
    ("said", "provisional", "share"),
    [
        (None, False, 0.0),
        (0.1, False, 0.1),
        (None, True, 0.05),
        (0.01, True, 0.05),
        (0.1, True, 0.2),
        (0.8, True, 1.0),
        (0.0, True, 0.0),  # who says 0 wants none
        (0.0, False, 0.0),
    ],
)
def test_a_provisional_model_is_looked_at_more(
    said: float | None, provisional: bool, share: float
) -> None:
    assert share_in_force(said, provisional=provisional) == pytest.approx(share)
