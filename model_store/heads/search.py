"""Which kind of head tells these pictures apart best: cross-validation by part, within a budget.

A figure that chose among several is too good for the one chosen. `searching` therefore makes the
choice a part of the fit: cross-validated, each fold chooses anew without the pictures it is asked
about (Cawley and Talbot, "On over-fitting in model selection", JMLR 2010).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from linewatch.errors import TrainingError
from model_store.heads.head import Head
from model_store.heads.kinds import HEAD_KINDS, WORDS, HeadKind, fit_of
from model_store.training_copies.copies import Copies, given
from model_store.validation.folds import UNTESTED, Fit, Numbers, assign_folds, out_of_fold
from model_store.validation.metrics import metrics_of
from quality.arrays import Floats

_FOLDS = 3
_CLEARLY = 0.005  # of macro F1: what a kind must gain over a simpler one


@dataclass(frozen=True, slots=True)
class Tried:
    """One kind and what became of it.

    Attributes:
        kind: of head.
        macro_f1: over the folds together; None where it was not tried.
        seconds: that it took.
        why_not: why there is no figure; "" where there is one.
    """

    kind: HeadKind
    macro_f1: float | None
    seconds: float
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Search:
    """The kind that was chosen, and all that were tried, in their order."""

    kind: HeadKind
    tried: tuple[Tried, ...]

    @property
    def seconds(self) -> float:
        """What it cost."""
        return sum(one.seconds for one in self.tried)


def search(
    vectors: Floats,
    labels: Sequence[str],
    parts: Numbers,
    *,
    even_with: str | None = None,
    budget_s: float = float("inf"),
    random_state: int = 42,
    kinds: Sequence[HeadKind] = HEAD_KINDS,
    clock: Callable[[], float] = perf_counter,
) -> Search:
    """Try kinds of heads on the same folds, the simplest first.

    The first is always tried. A later one is begun only while the budget lasts, and chosen only if
    its macro F1 is better by half a point than that of the one before it that leads.

    Args:
        vectors: float64 [n, d].
        labels: n class names.
        parts: int64 [n], the part of each picture.
        even_with: the good class; see `fit.even_weights`.
        budget_s: seconds.
        random_state: decides the folds.
        kinds: to try.
        clock: tells seconds.
    """
    folds = assign_folds(labels, _FOLDS, random_state, parts.tolist())
    begin, tried = clock(), list[Tried]()
    best, lead = kinds[0], -1.0
    for kind in kinds:
        now = clock()
        why_not = _why_not(folds, now - begin, budget_s, first=not tried)
        if not why_not:
            try:
                found = _macro_f1(fit_of(kind, even_with), vectors, labels, parts, folds)
            except TrainingError as error:
                why_not = str(error)
        if why_not:
            tried.append(Tried(kind, None, clock() - now, why_not))
            continue
        tried.append(Tried(kind, found, clock() - now))
        if found > lead + (_CLEARLY if lead >= 0 else 0):
            best, lead = kind, found
    return Search(best, tuple(tried))


def searching(even_with: str | None, *, budget_s: float, random_state: int) -> Fit:
    """A fit that chooses its kind from the pictures it is given; the budget is for each fit."""

    def fit(
        vectors: Floats, labels: Sequence[str], parts: Numbers, copies: Copies | None = None
    ) -> Head:
        found = search(
            vectors,
            labels,
            parts,
            even_with=even_with,
            budget_s=budget_s,
            random_state=random_state,
        )
        return fit_of(found.kind, even_with)(vectors, labels, parts, **given(copies))

    return fit


def found_by(search: Search) -> list[str]:
    """What each kind gave and cost, in sentences, the choice last."""
    lines = []
    for one in search.tried:
        gave = one.why_not if one.macro_f1 is None else f"macro F1 {one.macro_f1:.3f}"
        lines.append(f"head {one.kind} ({WORDS[one.kind]}): {gave}, {one.seconds:.1f} s")
    lines.append(
        f"chosen: {search.kind}, after {search.seconds:.1f} s; the model's own figures are of "
        "folds that chose for themselves"
    )
    return lines


def _why_not(folds: Numbers, spent_s: float, budget_s: float, *, first: bool) -> str:
    if not (folds != UNTESTED).any():
        return f"no class has {_FOLDS} parts to choose by"
    if not first and spent_s >= budget_s:
        return f"the budget of {budget_s:g} s was spent"
    return ""


def _macro_f1(
    fit: Fit, vectors: Floats, labels: Sequence[str], parts: Numbers, folds: Numbers
) -> float:
    classes = sorted(set(labels))
    shares = out_of_fold(fit, vectors, list(labels), folds, classes, parts.tolist())
    tested = folds != UNTESTED
    actual = np.searchsorted(np.asarray(classes), np.asarray(labels, np.str_))[tested]
    k = len(classes)
    cells = np.bincount(actual * k + shares[tested].argmax(axis=1), minlength=k * k)
    counts = {name: list(labels).count(name) for name in classes}
    found = metrics_of(cells.reshape(k, k), counts, folds=_FOLDS, converged=True).macro_f1
    return -1.0 if found is None else found
