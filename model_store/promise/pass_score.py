"""The score that a promise speaks of: how much likelier one class is than all others. Pure.

log P(class) / (1 − P(class)) moves with the share of the class among the labels: by Bayes' rule it
is a log-likelihood ratio plus the log odds of that share. Once these are taken off, what is left
belongs to the picture alone, and a share of the true defects beyond a threshold stays what it is
however many good parts are labelled, or made by the line (Saerens, Latinne and Decaestecker,
Neural Computation 2002).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log

_LEAST = 1e-38  # a float32 probability that is smaller is 0; so no score is infinite
BEYOND_ALL = 1000.0  # a threshold that no score reaches: they lie between -88 and 88
NEVER = -BEYOND_ALL  # the score of what does not pass whatever the threshold, by another rule


def log_odds(shares: Sequence[float], chosen: int) -> float:
    """log P(chosen) / P(any other), in nats, between -88 and 88.

    The others are summed, for near 1 a float32 probability says nothing of what is missing to 1.

    Args:
        shares: finite probabilities that sum to 1.
        chosen: index of a class.
    """
    others = sum(share for index, share in enumerate(shares) if index != chosen)
    return log(max(shares[chosen], _LEAST)) - log(max(others, _LEAST))
