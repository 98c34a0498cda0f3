"""Conformal sets: for each part the classes that it may be, right with a chosen probability.

A class belongs to the set if its probability reaches that class's least one, which is a quantile of
what parts of the class were given by a model that had not seen them. So of each class, and not only
on average, at most a share `alpha` is left out of its own set, whatever the model is worth.

Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random World", 2005, section 4.5 (Mondrian,
or class-conditional); Sadinle, Lei and Wasserman, "Least Ambiguous Set-Valued Classifiers", JASA
2019, for the score 1 − P(class).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor

import numpy as np

from model_store.verdicts.calibration import Ints
from quality.arrays import Floats


def least_probabilities(
    probabilities: Floats, actual: Ints, classes: Sequence[str], *, alpha: float
) -> dict[str, float]:
    """The least probability with which each class is in the set.

    Args:
        probabilities: float64 [n, k], of pictures that the model had not seen.
        actual: int64 [n].
        classes: k names.
        alpha: the share of a class that may be left out of its own set, in (0, 1).

    Returns:
        One probability a class. A class with fewer than 1/alpha − 1 pictures is left out: nothing
        can be promised for it.

    A part is in its class's set where (1 + #{scores at least as strange}) / (n + 1) > alpha; ties
    count as strange, which errs towards larger sets.
    """
    found = {}
    for index, name in enumerate(classes):
        given = np.sort(probabilities[actual == index, index])
        out = floor(alpha * (len(given) + 1))  # so many, at most, may be stranger than the border
        if out >= 1:
            found[name] = float(given[out - 1])
    return found
