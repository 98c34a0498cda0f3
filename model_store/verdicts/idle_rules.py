"""Rules that a model has and that can never send a part to a person. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from model_store.verdicts.verdict import Thresholds


def idle_rules(thresholds: Thresholds, classes: Sequence[str]) -> list[str]:
    """What cannot fire, and why, one sentence each.

    Args:
        thresholds: the model's. A review threshold of 0 is switched off and no mistake.
        classes: what the model knows.
    """
    if thresholds.proposes:
        return []
    found = []
    least = 1 / len(classes)  # of any first choice
    if thresholds.pass_from is None and 0 < thresholds.review_below <= least:
        found.append(
            f"review_below {thresholds.review_below:g} never sends a part to a person: of "
            f"{len(classes)} classes the first choice is never less probable than {least:.2g}; set "
            "LINEWATCH_REVIEW_BELOW higher, or to 0"
        )
    if thresholds.least_probabilities == {}:
        found.append(
            "conformal_alpha never sends a part to a person: no class has pictures enough; label "
            "more, or raise LINEWATCH_CONFORMAL_ALPHA"
        )
    return found
