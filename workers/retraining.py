"""Labels and stored features become a model version. Needs no GPU and no pictures.

At most one run a product is active anywhere: the row of the run is the lock, and its lease lets
another worker take over from one that died.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event, Thread

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from db import deployments, feature_spaces, labels, model_versions, products, training
from linewatch.errors import LinewatchError, ModelError, TrainingError
from linewatch.products import ProductSpec
from linewatch.settings import Settings
from model_store.crossval import CrossValidation, cross_validate
from model_store.decisions import Decided, Policy, decide
from model_store.fit import fit_head
from model_store.gate import Decision
from model_store.head import Floats
from model_store.manifest import Kind, Manifest, ManifestDraft
from model_store.rejudge import vectors_of
from model_store.store import ModelStore
from model_store.verdict import Thresholds
from vision.fingerprint import recipe_of
from workers.gating import gate, promote_if_passed
from workers.prompts import few_shot_fit, known_prototypes, version_info

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Retrained:
    """What a run made, and what the gate said of it; None where it could not be asked.

    `validation` is None for a few-shot model: there are too few labels to cross-validate.
    """

    run_id: int
    manifest: Manifest
    validation: CrossValidation | None
    decision: Decision | None = None
    promoted: bool = False


Progress = Callable[[str, float], None]  # what it is at, and how far it has come (0 to 1)


@dataclass(frozen=True, slots=True, eq=False)
class _Learned:
    """A head with its rules, how it was made, and how well it did, where that can be said."""

    kind: Kind
    decided: Decided
    validation: CrossValidation | None


def retrain(
    engine: Engine,
    store: ModelStore,
    product: str,
    *,
    trigger: str,
    settings: Settings,
    few_shot: bool = False,
    on_progress: Progress = lambda stage, share: None,
) -> Retrained | None:
    """Cross-validate, fit on all labels, store a new version and ask the gate about it.

    Args:
        engine, store, product: what to train, and where.
        trigger: why, for the record of runs.
        settings: folds, thresholds, and whether what passes the gate is promoted.
        few_shot: blend prompts and labels, however many labels there are.
        on_progress: is told what the run is at; the row of the run says so too.

    Returns:
        What was made; None when a run is active.

    Raises:
        TrainingError: the labels do not suffice; the failed run is recorded with the reason.
    """
    spec = products.get(engine, product)
    if spec is None:
        raise TrainingError(f"no product is called {product!r}")
    run_id = training.start_run(engine, product, trigger, settings.training_lease_s)
    if run_id is None:
        log.info("%s is being retrained already", product)
        return None

    def note(stage: str, share: float) -> None:
        training.report(engine, run_id, stage, share)
        on_progress(stage, share)

    try:
        with _renewed(engine, run_id, settings.training_lease_s):
            return _train(engine, store, spec, run_id, settings, few_shot, note)
    except Exception as error:
        training.fail(engine, run_id, str(error))
        raise


def due_products(engine: Engine, *, after_labels: int) -> list[str]:
    """The products with at least `after_labels` labels newer than their last training run."""
    return [
        product
        for product, count in labels.new_since_training(engine).items()
        if count >= after_labels
    ]


def _train(
    engine: Engine,
    store: ModelStore,
    spec: ProductSpec,
    run_id: int,
    settings: Settings,
    few_shot: bool,
    note: Progress,
) -> Retrained:
    note("reading labels and features", 0.0)
    space, rows = _labelled(engine, spec)
    as_of = datetime.now(UTC)  # labels that come later were not learned from
    names = [row.label for row in rows]
    features = vectors_of([row.vector for row in rows])
    if few_shot or _few_labels(engine, store, spec, space.fingerprint, names, settings):
        note("blending prompts and labels", 0.1)
        head = few_shot_fit(engine, store, spec, space.fingerprint)(features, names)
        plain = Decided(head, Thresholds(review_below=settings.review_below), None, None)
        learned = _Learned("few-shot", plain, None)
    else:
        learned = _fit(spec, features, names, settings, note)
    manifest = _save(engine, store, spec, space, rows, learned, as_of)
    model_versions.add_version(engine, version_info(manifest, run_id))
    note("gate", 0.7)
    champion = deployments.champion(engine, spec.product)
    decision = _gate(engine, store, manifest.version, settings)
    training.finish(
        engine,
        run_id,
        metrics=_run_metrics(learned.validation),
        image_count=len(rows),
        model_version=manifest.version,
    )
    log.info("%s trained on %d pictures", manifest.version, len(rows))
    promoted = (
        settings.auto_promote == "gate"
        and decision is not None
        and promote_if_passed(engine, spec.product, manifest.version, champion, decision)
    )
    return Retrained(run_id, manifest, learned.validation, decision, promoted)


def _fit(
    spec: ProductSpec, features: Floats, names: Sequence[str], settings: Settings, note: Progress
) -> _Learned:
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
    return _Learned("fitted", decided, validation)


def _save(
    engine: Engine,
    store: ModelStore,
    spec: ProductSpec,
    space: feature_spaces.FeatureSpace,
    rows: Sequence[labels.TrainingExample],
    learned: _Learned,
    as_of: datetime,
) -> Manifest:
    counts = Counter(row.label for row in rows)
    decided, validation = learned.decided, learned.validation
    draft = ManifestDraft(
        product=spec.product,
        number=model_versions.next_number(engine, spec.product),
        good_class=spec.good_class,
        fingerprint=space.fingerprint,
        encoders=space.encoders,
        recipe=recipe_of(space.encoders),
        thresholds=decided.thresholds,
        decisions=decided.report,
        training_digest=training_digest((str(row.id), row.label) for row in rows),
        image_counts={name: counts[name] for name in decided.head.classes},
        metrics=None if validation is None else validation.summary(),
        kind=learned.kind,
        parent=deployments.champion(engine, spec.product),
        created_at=as_of,
    )
    return store.save(decided.head, draft, novelty=decided.novelty)


def _labelled(
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


def _gate(engine: Engine, store: ModelStore, version: str, settings: Settings) -> Decision | None:
    """Ask the gate; a model that cannot be compared is a model all the same."""
    try:
        return gate(engine, store, version, settings=settings, by="linewatch")
    except LinewatchError as error:
        log.warning("the gate could not be asked about %s: %s", version, error)
        return None


def _run_metrics(validation: CrossValidation | None) -> training.RunMetrics:
    if validation is None:
        return training.RunMetrics(None, None, None)
    return training.RunMetrics(
        accuracy=validation.accuracy,
        macro_f1=validation.macro_f1,
        weighted_f1=validation.weighted_f1,
        classes=[training.ClassScore(**row.model_dump()) for row in validation.metrics.classes],
        confusion=[
            training.ConfusionCount(actual, predicted, count)
            for (actual, predicted), count in validation.confusion_counts().items()
        ],
    )


def training_digest(pairs: Iterator[tuple[str, str]]) -> str:
    """SHA-256 of the sorted (picture id, label) pairs: the same labels give the same digest."""
    text = "\n".join(f"{picture}\t{label}" for picture, label in sorted(pairs))
    return hashlib.sha256(text.encode()).hexdigest()


@contextmanager
def _renewed(engine: Engine, run_id: int, lease_s: float) -> Iterator[None]:
    """Keep the run's lease alive while its body works."""
    done = Event()

    def renew() -> None:
        while not done.wait(lease_s / 4):
            try:
                training.renew(engine, run_id, lease_s)
            except (LinewatchError, SQLAlchemyError) as error:
                log.warning("lease of run %d not renewed: %s", run_id, error)

    thread = Thread(target=renew, name="training-lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
