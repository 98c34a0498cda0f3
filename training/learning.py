"""Labels and stored features become a head and the rules for its verdicts."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from db.models.run_metrics import ClassScore, ConfusionCount, RunMetrics
from linewatch.errors import ModelError
from linewatch.settings import Settings
from model_store.fitting.checked_fit import checked_fit
from model_store.fitting.good_only import good_only
from model_store.fitting.labelled_pictures import LabelledPictures
from model_store.fitting.progress import Progress
from model_store.fitting.units import check_units
from model_store.heads.choice import choose_head
from model_store.heads.kinds import HeadKind
from model_store.heads.search import Search
from model_store.manifest import Kind
from model_store.novelty.unlike_good import GoodPatches
from model_store.store import ModelStore
from model_store.training_copies.trial import CopiesTrial
from model_store.validation.crossval import CrossValidation
from model_store.validation.metrics import Metrics
from model_store.verdicts.decisions import Decided
from model_store.verdicts.policy import Policy
from model_store.verdicts.verdict import Thresholds
from training.prompts import few_shot_fit, known_prototypes, prompted_fit
from training.stored_model import serving_head
from training.training_material import TrainingMaterial
from vision.patch_stages import LOOK

log = logging.getLogger(__name__)


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
    progress: Progress,
    search: bool = False,
) -> Learned:
    """Fit on all labels; while they are few, or if `few_shot`, with the prompts' help.

    A model of both only proposes: too few labels say how often it is right. Where all labels are of
    the good class, the model is one of good parts alone.

    Args:
        material: what to learn from.
        store: holds the prompts, and the model that serves.
        settings: say how.
        few_shot: whether prompts help however many labels there are.
        progress: is told how far it is.
        search: whether to look for the best kind of head.

    Raises:
        TrainingError: the labels do not suffice, or the run was stopped.
        ModelError: the stored features cannot be read.
    """
    names = {row.label for row in material.rows}
    if names == {material.good_class} and not few_shot:
        return _good_only(material, settings, progress)
    if few_shot or _few_labels(material, store, settings.few_shot_below):
        return _few_shot(material, store, settings, progress)
    return _fitted(material, store, settings, progress, search)


def _good_only(material: TrainingMaterial, settings: Settings, progress: Progress) -> Learned:
    """No defect is labelled: what good parts look like is all there is to learn."""
    progress.note("measuring good parts", 0.1)
    pictures = LabelledPictures.of(material.rows)
    rate = Policy.of(settings, material.costs, material.options).unlike_good_rate
    decided = good_only(
        pictures.features,
        pictures.labels,
        rate=rate,
        parts=pictures.parts,
        patches=_patches(material, pictures, settings),
    )
    return Learned("good-only", decided, None, RunMetrics(None, None, None))


def _patches(
    material: TrainingMaterial, pictures: LabelledPictures, settings: Settings
) -> GoodPatches | None:
    stored = material.patches if settings.patch_memory else {}
    return GoodPatches.of(LOOK, stored, pictures.ids)


def _few_shot(
    material: TrainingMaterial, store: ModelStore, settings: Settings, progress: Progress
) -> Learned:
    """Prompts and labels, blended."""
    progress.note("blending prompts and labels", 0.1)
    pictures = LabelledPictures.of(material.rows)
    fit = few_shot_fit(store, material.product, material.classes, material.prompts)
    head = fit(pictures.features, pictures.labels, pictures.parts)
    rules = Thresholds(review_below=settings.review_below, proposes=True)
    blended = Decided(head, rules, None, None)
    return Learned("few-shot", blended, None, RunMetrics(None, None, None))


def _fitted(
    material: TrainingMaterial,
    store: ModelStore,
    settings: Settings,
    progress: Progress,
    search: bool,
) -> Learned:
    """Labels alone, but for rare classes that have prompts: all else is asked before they are."""
    rare = _rare(material, store, settings.few_shot_below)
    serving = serving_head(store, material.serving)
    pictures = LabelledPictures.of(material.rows)
    check_units(pictures, settings.folds, settings.group_by)
    if search:
        progress.note("search for a head", 0.05)
    good_class = material.good_class
    chosen = choose_head(
        pictures, good_class=good_class, settings=settings, serving=serving, wanted=search
    )
    if rare:
        fits = [
            prompted_fit(fit, store, material.product, material.prompts, rare)
            for fit in (chosen.fit, chosen.check or chosen.fit)
        ]
        chosen = replace(chosen, fit=fits[0], check=fits[1])
    found = checked_fit(
        pictures,
        chosen,
        good_class=good_class,
        stored=material.copies,
        symmetry=material.symmetry,
        policy=Policy.of(settings, material.costs, material.options),
        settings=settings,
        progress=progress,
        patches=_patches(material, pictures, settings),
    )
    if found.copies is not None:
        log.info("%s: %s", material.product, found.copies.words())
    return Learned(
        "fitted",
        found.decided,
        found.validation,
        _run_metrics(found.validation.metrics, found.validation.confusion_counts()),
        chosen.kind,
        prompted=rare,
        search=chosen.search,
        copies=found.copies,
    )


def _run_metrics(found: Metrics, confusion: Mapping[tuple[str, str], int]) -> RunMetrics:
    return RunMetrics(
        accuracy=found.accuracy,
        macro_f1=found.macro_f1,
        weighted_f1=found.weighted_f1,
        classes=[ClassScore(**row.model_dump()) for row in found.classes],
        confusion=[ConfusionCount(*pair, count) for pair, count in confusion.items()],
    )


def _few_labels(material: TrainingMaterial, store: ModelStore, few: int) -> bool:
    """Whether most classes have fewer labels than `few`, and prompts are there to help out."""
    counts, classes = Counter(row.label for row in material.rows), material.classes
    if 2 * sum(counts[code] < few for code in classes) <= len(classes):
        return False
    return bool(_spoken_of(material, store))


def _rare(material: TrainingMaterial, store: ModelStore, few: int) -> tuple[str, ...]:
    """The labelled classes with fewer labels than `few` that have prompts, sorted."""
    counts = Counter(row.label for row in material.rows)
    rare = {name for name, count in counts.items() if count < few}
    return tuple(sorted(rare & _spoken_of(material, store))) if rare else ()


def _spoken_of(material: TrainingMaterial, store: ModelStore) -> set[str]:
    """The classes whose prompts can be used."""
    try:
        return set(known_prototypes(store, material.classes, material.prompts) or ())
    except ModelError as error:
        log.warning("%s: trained without its prompts: %s", material.product, error)
        return set()
