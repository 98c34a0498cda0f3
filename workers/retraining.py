"""Labels and stored features become a model version. Needs no GPU and no pictures.

At most one run a product is active anywhere: the row of the run is the lock, and its lease lets
another worker take over from one that died.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine

from db import deployments, feature_spaces, labels, model_versions, products, training
from linewatch.errors import LinewatchError, TrainingError
from linewatch.products import ProductSpec
from linewatch.settings import Settings
from model_store.crossval import CrossValidation
from model_store.gate import Decision
from model_store.manifest import Manifest, ManifestDraft
from model_store.store import ModelStore
from vision.fingerprint import recipe_of
from workers.gating import gate, promote_if_passed
from workers.learning import Learned, Progress, labelled, learn
from workers.prompts import version_info
from workers.training_lease import renewed

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
        with renewed(engine, run_id, settings.training_lease_s):
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
    space, rows = labelled(engine, spec)
    as_of = datetime.now(UTC)  # labels that come later were not learned from
    learned = learn(
        engine,
        store,
        spec,
        space.fingerprint,
        rows,
        settings=settings,
        few_shot=few_shot,
        note=note,
    )
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


def _save(
    engine: Engine,
    store: ModelStore,
    spec: ProductSpec,
    space: feature_spaces.FeatureSpace,
    rows: Sequence[labels.TrainingExample],
    learned: Learned,
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
