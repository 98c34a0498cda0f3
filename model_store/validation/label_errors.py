"""Labels that may be wrong, ranked by what models say that have not seen the picture.

The ranking is cleanlab's: Northcutt, Jiang & Chuang, "Confident Learning: Estimating Uncertainty in
Dataset Labels", Journal of Artificial Intelligence Research 70 (2021).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from linewatch.errors import LabelError
from model_store.validation.crossval import CrossValidation


@dataclass(frozen=True, slots=True)
class LabelSuspect:
    """A label under suspicion.

    Attributes:
        row: the picture's place in the training set.
        label: what people said.
        suggested: what the models would say.
        quality: cleanlab's score of the label, 0 (surely wrong) to 1.
        suggested_probability: of `suggested`.
        likely_error: whether confident learning counts it among the errors.
    """

    row: int
    label: str
    suggested: str
    quality: float
    suggested_probability: float
    likely_error: bool


def label_suspects(validation: CrossValidation, labels: list[str]) -> list[LabelSuspect]:
    """Every tested picture whose label the models contradict, the most doubtful first.

    Args:
        validation: of these labels, in this order. Classes too rare to be tested are left out.
        labels: n class names.

    Raises:
        LabelError: cleanlab is not installed, or fewer than two classes were tested.
    """
    try:
        from cleanlab.filter import find_label_issues
        from cleanlab.rank import get_label_quality_scores
    except ImportError:
        raise LabelError(
            "ranking label errors needs cleanlab: `pip install 'linewatch[studies]'` installs it"
        ) from None
    names = np.asarray(labels)
    rows = np.flatnonzero(validation.tested)
    kept = [k for k, name in enumerate(validation.classes) if (names[rows] == name).any()]
    if len(kept) < 2:
        raise LabelError("label errors show only where two or more classes can be cross-validated")
    shares = validation.probabilities[rows][:, kept]
    shares = shares / shares.sum(axis=1, keepdims=True)
    classes = np.asarray(validation.classes)[kept]
    codes = np.searchsorted(classes, names[rows])
    quality = get_label_quality_scores(codes, shares, method="normalized_margin")
    likely = find_label_issues(codes, shares, filter_by="confident_learning", n_jobs=1)
    best = shares.argmax(axis=1)
    order = np.argsort(quality, kind="stable")
    return [
        LabelSuspect(
            row=int(rows[i]),
            label=str(names[rows[i]]),
            suggested=str(classes[best[i]]),
            quality=float(quality[i]),
            suggested_probability=float(shares[i, best[i]]),
            likely_error=bool(likely[i]),
        )
        for i in order.tolist()
        if best[i] != codes[i]
    ]
