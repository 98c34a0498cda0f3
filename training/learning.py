"""Labels and stored features become a head and the rules for its verdicts."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from db.models.run_metrics import ClassScore, ConfusionCount, RunMetrics
from linewatch.errors import ModelError
from linewatch.settings import Settings
from model_store.copies_trial import CopiesTrial, try_copies
from model_store.crossval import CrossValidation, cross_validate
from model_store.decisions import Decided, decide
from model_store.fit import fit_head
from model_store.manifest import Kind
from model_store.metrics import Metrics
from model_store.policy import Policy
from model_store.rejudge import vectors_of
from model_store.store import ModelStore
from model_store.stored_copies import copies_among
from model_store.training_copies import Copies
from model_store.verdict import Thresholds
from quality.arrays import Floats
from training.prompts import few_shot_fit, known_prototypes
from training.training_material import TrainingMaterial

log = logging.getLogger(__name__)

Progress = Callable[[str, float], None]  # what it is at, and how far it has come (0 to 1)


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """A head with its rules, how it was made, and how well it did.

    Attributes:
        kind: from what.
        decided: the head and its rules.
        validation: None for a few-shot model: there are too few labels to cross-validate.
        metrics: the figures for the record of runs; None where nothing was cross-validated.
        copies: whether copies of the pictures helped; None where there were none to learn from.
    """

    kind: Kind
    decided: Decided
    validation: CrossValidation | None
    metrics: RunMetrics
    copies: CopiesTrial | None = None


def learn(
    material: TrainingMaterial,
    store: ModelStore,
    *,
    settings: Settings,
    few_shot: bool,
    note: Progress,
) -> Learned:
    """Fit on all labels; while they are few, or if `few_shot`, with the prompts' help.

    A model of both only proposes: too few labels say how often it is right.

    Raises:
        TrainingError: the labels do not suffice.
        ModelError: the stored features cannot be read.
    """
    names = [row.label for row in material.rows]
    if few_shot or _few_labels(material, store, names, settings.few_shot_below):
        note("blending prompts and labels", 0.1)
        features = vectors_of([row.vector for row in material.rows])
        fit = few_shot_fit(store, material.product, material.classes, material.prompts)
        head = fit(features, names)
        rules = Thresholds(review_below=settings.review_below, proposes=True)
        blended = Decided(head, rules, None, None)
        return Learned("few-shot", blended, None, RunMetrics(None, None, None))
    return _cross_validated(material, names, settings, note)


def _cross_validated(
    material: TrainingMaterial, names: Sequence[str], settings: Settings, note: Progress
) -> Learned:
    """Cross-validate, fit on everything, and set the rules by what the folds found."""
    features = vectors_of([row.vector for row in material.rows])
    copies, trial = _copies(material, features, names, settings, note)
    note("cross-validation", 0.1)
    validation = cross_validate(
        features,
        names,
        folds=settings.folds,
        random_state=settings.random_state,
        even_with=material.good_class,
        copies=copies,
        on_fold=lambda done: note("cross-validation", 0.1 + 0.4 * done / settings.folds),
    )
    note("fitting on all labels", 0.5)
    decided = decide(
        fit_head(features, names, even_with=material.good_class, copies=copies),
        validation,
        features,
        names,
        good_class=material.good_class,
        policy=Policy.of(settings, material.costs, material.options),
        even=True,
    )
    metrics = _run_metrics(validation.metrics, validation.confusion_counts())
    return Learned("fitted", decided, validation, metrics, trial)


def _copies(
    material: TrainingMaterial,
    features: Floats,
    names: Sequence[str],
    settings: Settings,
    note: Progress,
) -> tuple[Copies | None, CopiesTrial | None]:
    """The copies to learn from, if they help, and what was found of them."""
    if not material.copies:
        return None, None
    copies = copies_among([row.id for row in material.rows], material.copies, material.symmetry)
    if copies is None:
        return None, None
    note("trying copies", 0.05)
    trial = try_copies(
        features,
        names,
        copies,
        material.symmetry,
        groups=[row.group for row in material.rows],
        folds=settings.folds,
        random_state=settings.random_state + 1,  # the figures' folds are others
        even_with=material.good_class,
    )
    log.info("%s: %s", material.product, trial.words())
    return (copies if trial.used else None), trial


def _run_metrics(found: Metrics, confusion: Mapping[tuple[str, str], int]) -> RunMetrics:
    return RunMetrics(
        accuracy=found.accuracy,
        macro_f1=found.macro_f1,
        weighted_f1=found.weighted_f1,
        classes=[ClassScore(**row.model_dump()) for row in found.classes],
        confusion=[ConfusionCount(*pair, count) for pair, count in confusion.items()],
    )


def _few_labels(
    material: TrainingMaterial, store: ModelStore, names: Sequence[str], few: int
) -> bool:
    """Whether most classes have fewer labels than `few`, and prompts are there to help out."""
    counts, classes = Counter(names), material.classes
    if 2 * sum(counts[code] < few for code in classes) <= len(classes):
        return False
    try:
        return known_prototypes(store, classes, material.prompts) is not None
    except ModelError as error:
        log.warning("%s: trained without its prompts: %s", material.product, error)
        return False
