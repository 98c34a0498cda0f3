"""Labelled pictures become a head, how well it does on parts it has not seen, and its rules."""

from __future__ import annotations

from dataclasses import dataclass

from linewatch.settings import Settings
from model_store.fitting.labelled_pictures import LabelledPictures
from model_store.fitting.progress import Progress
from model_store.heads.choice import HeadChoice
from model_store.novelty.unlike_good import GoodPatches
from model_store.training_copies.choice import copies_to_learn_from
from model_store.training_copies.copies import given
from model_store.training_copies.stored import StoredCopies
from model_store.training_copies.trial import CopiesTrial
from model_store.validation.crossval import CrossValidation, cross_validate
from model_store.verdicts.decisions import Decided, decide
from model_store.verdicts.policy import Policy


@dataclass(frozen=True, slots=True, eq=False)
class CheckedFit:
    """A head with its rules, and how well it did.

    Attributes:
        decided: the head and its rules.
        validation: what the folds found.
        copies: whether copies of the pictures helped; None where there were none.
    """

    decided: Decided
    validation: CrossValidation
    copies: CopiesTrial | None


def checked_fit(
    pictures: LabelledPictures,
    chosen: HeadChoice,
    *,
    good_class: str | None,
    stored: StoredCopies,
    symmetry: tuple[str, ...],
    policy: Policy,
    settings: Settings,
    progress: Progress,
    patches: GoodPatches | None = None,
) -> CheckedFit:
    """Cross-validate, fit on everything, and set the rules by what the folds found.

    Args:
        pictures: to learn from.
        chosen: the kind of head.
        good_class: the class that passes, or None.
        stored: copies of the pictures.
        symmetry: the names of the copies that the product's symmetry allows.
        policy: what the plant wants of verdicts.
        settings: folds and their random state.
        progress: is told how far it is.
        patches: the places of good pictures, where they were looked at.

    Raises:
        TrainingError: the labels do not suffice, or the run was stopped.
        ModelError: stored features cannot be read.
    """
    copies, trial = copies_to_learn_from(
        pictures,
        stored,
        symmetry,
        good_class=good_class,
        fit=None if chosen.check is None else chosen.fit,
        settings=settings,
    )
    progress.note("cross-validation", 0.1)
    validation = cross_validate(
        pictures.features,
        pictures.labels,
        groups=pictures.groups,
        folds=settings.folds,
        random_state=settings.random_state,
        even_with=good_class,
        fit=chosen.check,
        copies=copies,
        on_fold=lambda done: progress.note("cross-validation", 0.1 + 0.4 * done / settings.folds),
    )
    progress.note("fitting on all labels", 0.5)
    decided = decide(
        chosen.fit(pictures.features, pictures.labels, pictures.parts, **given(copies)),
        validation,
        pictures.features,
        pictures.labels,
        good_class=good_class,
        policy=policy,
        even=True,
        patches=patches,
    )
    return CheckedFit(decided, validation, trial)
