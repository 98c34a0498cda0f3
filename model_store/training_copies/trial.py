"""Whether copies help a product's model: it is learned with and without them, in the same folds.

A product's file says which changes leave a part what it is; whether they do, only labels can tell.
Where two classes differ by being left and right, a mirror turns one into the other, and each copy
teaches what is wrong.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from model_store.promise.bounds import tail
from model_store.training_copies.copies import Copies
from model_store.validation.crossval import CrossValidation, cross_validate
from model_store.validation.folds import Fit
from quality.arrays import Floats

_CHANCE = 0.01  # a class is harmed where luck alone would lose as many pictures this seldom


@dataclass(frozen=True, slots=True)
class CopiesTrial:
    """What was found.

    Attributes:
        names: of the copies that were tried.
        count: how many there were.
        pictures: how many pictures have any.
        plain, copied: macro F1 without and with them.
        harmed: classes that are told worse with them, beyond chance.
    """

    names: tuple[str, ...]
    count: int
    pictures: int
    plain: float
    copied: float
    harmed: tuple[str, ...]

    @property
    def used(self) -> bool:
        """Whether the model learns from them: they make nothing worse."""
        return self.copied >= self.plain and not self.harmed

    def words(self) -> str:
        """What to tell people."""
        figures = f"macro F1 {self.copied:.3f} with them, {self.plain:.3f} without"
        found = f"{self.count} copies of {self.pictures} pictures ({', '.join(self.names)})"
        if self.used:
            return f"learned from {found}: {figures}"
        why = ""
        if self.harmed:
            why = (
                f"; {', '.join(self.harmed)} suffer: does a change of `symmetry` turn one class "
                "into another, such as left and right?"
            )
        return f"not learned from {found}: {figures}{why}"


def try_copies(
    features: Floats,
    labels: Sequence[str],
    copies: Copies,
    names: Sequence[str],
    *,
    groups: Sequence[Hashable] | None = None,
    folds: int,
    random_state: int,
    even_with: str | None = None,
    fit: Fit | None = None,
) -> CopiesTrial:
    """Cross-validate with and without copies.

    Give folds other than those that the model's figures come from, or these would be those of a
    choice made on them.

    Args:
        features: float64 [n, d].
        labels: n class names.
        copies: of these pictures.
        names: what the copies are called.
        groups, folds, random_state, even_with, fit: as for `cross_validate`.

    Raises:
        TrainingError: as `cross_validate`.
    """
    plain, copied = (
        cross_validate(
            features,
            labels,
            groups=groups,
            folds=folds,
            random_state=random_state,
            even_with=even_with,
            fit=fit,
            copies=some,
        )
        for some in (None, copies)
    )
    return CopiesTrial(
        tuple(names),
        len(copies),
        len(np.unique(copies.of)),
        plain.macro_f1,
        copied.macro_f1,
        _harmed(plain, copied, labels),
    )


def _harmed(
    plain: CrossValidation, copied: CrossValidation, labels: Sequence[str]
) -> tuple[str, ...]:
    """Classes that lose more pictures than they gain, by a sign test on those that changed."""
    actual = np.asarray(labels, dtype=np.str_)
    before, after = plain.predictions == actual, copied.predictions == actual
    harmed = []
    for name in plain.classes:
        mine = (actual == name) & plain.tested
        lost, gained = int((mine & before & ~after).sum()), int((mine & after & ~before).sum())
        if _luck(lost, lost + gained) < _CHANCE:
            harmed.append(name)
    return tuple(harmed)


def _luck(lost: int, changed: int) -> float:
    """How likely at least `lost` of `changed` pictures are lost where copies change nothing."""
    return tail(changed - lost, changed, 0.5)
