"""Labels and stored features become a head and the rules for its verdicts."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from db.models.run_metrics import ClassScore, ConfusionCount, RunMetrics
from linewatch.errors import ModelError
from linewatch.settings import Settings
from model_store.copies_trial import CopiesTrial
from model_store.crossval import CrossValidation, cross_validate
from model_store.decisions import Decided, decide
from model_store.folds import part_numbers
from model_store.good_only import good_only
from model_store.head_kinds import HeadKind
from model_store.head_search import Search
from model_store.manifest import Kind
from model_store.metrics import Metrics
from model_store.policy import Policy
from model_store.rejudge import vectors_of
from model_store.store import ModelStore
from model_store.training_copies import given
from model_store.verdict import Thresholds
from quality.arrays import Floats
from training.copying import copies_to_learn_from
from training.heads import HeadChoice, choose_head
from training.prompts import few_shot_fit, known_prototypes, prompted_fit
from training.training_material import TrainingMaterial
from training.units import check_units

log = logging.getLogger(__name__)

Progress = Callable[[str, float], None]  # what it is at, and how far it has come (0 to 1)


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """A head with its rules, how it was made, and how well it did.

    Attributes:
        kind: from what.
        decided: the head and its rules.
        validation: None for a few-shot model, whose labels are too few to cross-validate, and for
            one of good parts alone.
        metrics: the figures for the record of runs; None where nothing was cross-validated.
        head: the kind of head; None for a few-shot model's.
        prompted: the classes of few labels that their prompts helped.
        search: what kinds were tried; None where nobody asked for it.
        copies: whether copies of the pictures helped; None where there were none to learn from.
    """

    kind: Kind
    decided: Decided
    validation: CrossValidation | None
    metrics: RunMetrics
    head: HeadKind | None = None
    prompted: tuple[str, ...] = ()
    search: Search | None = None
    copies: CopiesTrial | None = None


def learn(
    material: TrainingMaterial,
    store: ModelStore,
    *,
    settings: Settings,
    few_shot: bool,
    note: Progress,
    serving: HeadKind | None = None,
    search: bool = False,
) -> Learned:
    """Fit on all labels; while they are few, or if `few_shot`, with the prompts' help.

    A model of both only proposes: too few labels say how often it is right. Where all labels are of
    the good class, the model is one of good parts alone.

    Args:
        material: what to learn from.
        store: holds the prompts.
        settings: say how.
        few_shot: whether prompts help however many labels there are.
        note: is told how far it is.
        serving: the kind of head that serves now, or None.
        search: whether to look for the best kind of head.

    Raises:
        TrainingError: the labels do not suffice.
        ModelError: the stored features cannot be read.
    """
    names = [row.label for row in material.rows]
    if set(names) == {material.good_class} and not few_shot:
        return _good_only(material, names, settings, note)
    if few_shot or _few_labels(material, store, names, settings.few_shot_below):
        note("blending prompts and labels", 0.1)
        features = vectors_of([row.vector for row in material.rows])
        fit = few_shot_fit(store, material.product, material.classes, material.prompts)
        head = fit(features, names, part_numbers(material.parts_of(features), len(names)))
        rules = Thresholds(review_below=settings.review_below, proposes=True)
        blended = Decided(head, rules, None, None)
        return Learned("few-shot", blended, None, RunMetrics(None, None, None))
    features = vectors_of([row.vector for row in material.rows])
    groups = material.parts_of(features)
    check_units(names, groups, settings.folds, settings.group_by)
    if search:
        note("search for a head", 0.05)
    chosen = choose_head(
        features,
        names,
        part_numbers(groups, len(names)),
        good_class=material.good_class,
        settings=settings,
        serving=serving,
        wanted=search,
    )
    rare = _rare(material, store, names, settings.few_shot_below)
    if rare:
        fits = [
            prompted_fit(fit, store, material.product, material.prompts, rare)
            for fit in (chosen.fit, chosen.check or chosen.fit)
        ]
        chosen = replace(chosen, fit=fits[0], check=fits[1])
    learned = _cross_validated(material, names, features, groups, chosen, settings, note)
    return replace(learned, prompted=rare)


def _good_only(
    material: TrainingMaterial, names: Sequence[str], settings: Settings, note: Progress
) -> Learned:
    """No defect is labelled: what good parts look like is all there is to learn."""
    note("measuring good parts", 0.1)
    features = vectors_of([row.vector for row in material.rows])
    rate = Policy.of(settings, material.costs, material.options).unlike_good_rate
    parts = part_numbers(material.parts_of(features), len(names))
    decided = good_only(features, names, rate=rate, parts=parts)
    return Learned("good-only", decided, None, RunMetrics(None, None, None))


def _cross_validated(
    material: TrainingMaterial,
    names: Sequence[str],
    features: Floats,
    groups: Sequence[str],
    chosen: HeadChoice,
    settings: Settings,
    note: Progress,
) -> Learned:
    """Cross-validate, fit on everything, and set the rules by what the folds found."""
    copies, trial = copies_to_learn_from(
        material,
        features,
        names,
        groups,
        fit=None if chosen.check is None else chosen.fit,
        settings=settings,
    )
    note("cross-validation", 0.1)
    validation = cross_validate(
        features,
        names,
        groups=groups,
        folds=settings.folds,
        random_state=settings.random_state,
        even_with=material.good_class,
        fit=chosen.check,
        copies=copies,
        on_fold=lambda done: note("cross-validation", 0.1 + 0.4 * done / settings.folds),
    )
    note("fitting on all labels", 0.5)
    decided = decide(
        chosen.fit(features, names, part_numbers(groups, len(names)), **given(copies)),
        validation,
        features,
        names,
        good_class=material.good_class,
        policy=Policy.of(settings, material.costs, material.options),
        even=True,
    )
    metrics = _run_metrics(validation.metrics, validation.confusion_counts())
    return Learned(
        "fitted", decided, validation, metrics, chosen.kind, search=chosen.search, copies=trial
    )


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
    return bool(_spoken_of(material, store))


def _rare(
    material: TrainingMaterial, store: ModelStore, names: Sequence[str], few: int
) -> tuple[str, ...]:
    """The labelled classes with fewer labels than `few` that have prompts, sorted."""
    rare = {name for name, count in Counter(names).items() if count < few}
    return tuple(sorted(rare & _spoken_of(material, store))) if rare else ()


def _spoken_of(material: TrainingMaterial, store: ModelStore) -> set[str]:
    """The classes whose prompts can be used."""
    try:
        return set(known_prototypes(store, material.classes, material.prompts) or ())
    except ModelError as error:
        log.warning("%s: trained without its prompts: %s", material.product, error)
        return set()
