"""The kinds of head that may serve, and how a head of a kind is fitted.

All end as one affine layer, so that what serves does not change. A version's manifest names its
kind, and the gate fits that kind again.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal, get_args

import numpy as np

from model_store.heads.baselines import fit_rival
from model_store.heads.fit import fit_head
from model_store.heads.head import Head
from model_store.training_copies.copies import Copies, lessons
from model_store.validation.folds import Fit, Numbers
from quality.arrays import Floats

HeadKind = Literal["logistic", "fisher", "nested", "lda"]
HEAD_KINDS: tuple[HeadKind, ...] = get_args(HeadKind)  # the simplest first
BEFORE: HeadKind = "logistic"  # of versions whose manifest names none
WORDS: dict[HeadKind, str] = {
    "logistic": "logistic regression, C = 1",
    "fisher": "balanced logistic regression on columns weighed by how far classes lie apart",
    "nested": "balanced logistic regression, C by cross-validation within",
    "lda": "shrinkage discriminant analysis",
}


def fit_of(kind: HeadKind, even_with: str | None) -> Fit:
    """Fits heads of a kind.

    Args:
        kind: `logistic` is the seed's; see `model_store.heads.baselines` for the others.
        even_with: the good class, to count as much as all defects; see `fit.even_weights`.
    """
    if kind == "logistic":
        return partial(fit_head, even_with=even_with)

    def fit(
        vectors: Floats, labels: Sequence[str], parts: Numbers, copies: Copies | None = None
    ) -> Head:
        if copies is not None:  # these kinds know no weights: a copy counts as a picture
            known = lessons(vectors, labels, copies)
            vectors, labels = known.features, known.labels.tolist()
            parts = np.concatenate([parts, parts[copies.of]])
        return fit_rival(vectors, labels, kind, parts, even_with=even_with)

    return fit
