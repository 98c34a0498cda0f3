"""Which share of the parts decided by a model people see too. Pure."""

from __future__ import annotations

LEAST_WHILE_PROVISIONAL = 0.05


def share_in_force(said: float | None, *, provisional: bool) -> float:
    """The product's own share; twice that, and at least 5 %, while its model is provisional.

    What labels cannot promise yet, the audit has to find out. A product that says 0 wants none.

    Args:
        said: `audit_share` of the product's file; None where it says nothing.
        provisional: whether the model that serves passes parts without a proven promise.
    """
    if said == 0 or not provisional:
        return said or 0.0
    return min(1.0, max(2 * (said or 0.0), LEAST_WHILE_PROVISIONAL))
