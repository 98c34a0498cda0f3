"""Labels and stored features become a head and the rules for its verdicts."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from db import feature_spaces, labels
from linewatch.errors import ModelError, TrainingError
from linewatch.products import ProductSpec
from linewatch.settings import Settings
from model_store.crossval import CrossValidation, cross_validate
from model_store.decisions import Decided, Policy, decide
from model_store.fit import fit_head
from model_store.head import Floats
from model_store.manifest import Kind
from model_store.rejudge import vectors_of
from model_store.store import ModelStore
from model_store.verdict import Thresholds
from workers.prompts import few_shot_fit, known_prototypes

log = logging.getLogger(__name__)

Progress = Callable[[str, float], None]  # what it is at, and how far it has come (0 to 1)


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """A head with its rules, how it was made, and how well it did, where that can be said."""

    kind: Kind
    decided: Decided
    validation: CrossValidation | None


def learn(
    engine: Engine,
    store: ModelStore,
    spec: ProductSpec,
    fingerprint: str,
    rows: Sequence[labels.TrainingExample],
    *,
    settings: Settings,
    few_shot: bool,
    note: Progress,
) -> Learned:
    """Fit on all of `rows`; while labels are few, or if `few_shot`, with the prompts' help.

    Raises:
        TrainingError: the labels do not suffice.
    """
    names = [row.label for row in rows]
    features = vectors_of([row.vector for row in rows])
    if few_shot or _few_labels(engine, store, spec, fingerprint, names, settings):
        note("blending prompts and labels", 0.1)
        head = few_shot_fit(engine, store, spec, fingerprint)(features, names)
        plain = Decided(head, Thresholds(review_below=settings.review_below), None, None)
        return Learned("few-shot", plain, None)
    return _fit(spec, features, names, settings, note)


def labelled(
    engine: Engine, spec: ProductSpec
) -> tuple[feature_spaces.FeatureSpace, list[labels.TrainingExample]]:
    """The pictures to train on; labels of classes that the product no longer has are left out."""
    space = feature_spaces.newest_labelled(engine, spec.product)
    if space is None:
        raise TrainingError(
            f"{spec.product} has no labelled picture with stored features; label some with "
            "`linewatch labels import`"
        )
    rows = labels.training_set(engine, spec.product, space.fingerprint)
    known = [row for row in rows if row.label in spec.class_codes]
    if len(known) < len(rows):
        gone = sorted({row.label for row in rows} - set(spec.class_codes))
        log.warning(
            "%s: %d labels of classes that it no longer has (%s) are left out",
            spec.product,
            len(rows) - len(known),
            ", ".join(gone),
        )
    return space, known


def _fit(
    spec: ProductSpec, features: Floats, names: Sequence[str], settings: Settings, note: Progress
) -> Learned:
    """Cross-validate, fit on everything, and set the rules by what the folds found."""
    note("cross-validation", 0.1)
    validation = cross_validate(
        features,
        names,
        folds=settings.folds,
        random_state=settings.random_state,
        on_fold=lambda done: note("cross-validation", 0.1 + 0.4 * done / settings.folds),
    )
    note("fitting on all labels", 0.5)
    policy = Policy.of(settings, spec.costs)
    decided = decide(
        fit_head(features, names),
        validation,
        features,
        names,
        good_class=spec.good_class,
        policy=policy,
    )
    return Learned("fitted", decided, validation)


def _few_labels(
    engine: Engine,
    store: ModelStore,
    spec: ProductSpec,
    fingerprint: str,
    names: Sequence[str],
    settings: Settings,
) -> bool:
    """Whether most classes have too few labels, and prompts are there to help out."""
    counts = Counter(names)
    poor = [code for code in spec.class_codes if counts[code] < settings.few_shot_below]
    if 2 * len(poor) <= len(spec.class_codes):
        return False
    try:
        return known_prototypes(engine, store, spec, fingerprint) is not None
    except ModelError as error:
        log.warning("%s: trained without its prompts: %s", spec.product, error)
        return False
