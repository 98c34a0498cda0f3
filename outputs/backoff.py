"""How long to wait before a receiver that was away is tried again. Pure."""

from __future__ import annotations

FIRST_S, LONGEST_S = 0.1, 10.0


def backoff_s(failures: int, chance: float) -> float:
    """Twice as long each time, and not all at once.

    Args:
        failures: in a row, from 1.
        chance: 0 to 1, at random.
    """
    whole = min(LONGEST_S, FIRST_S * 2.0 ** min(failures - 1, 16))
    return whole * (0.5 + 0.5 * chance)
