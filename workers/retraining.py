"""Labels and stored features become a model version. Needs no GPU and no pictures.

At most one run a product is active anywhere: the row of the run is the lock, and its lease lets
another worker take over from one that died.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event, Thread

import numpy as np
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from db import deployments, feature_spaces, labels, model_versions, products, training
from linewatch.errors import LinewatchError, TrainingError
from linewatch.products import ProductSpec
from linewatch.settings import Settings
from model_store.crossval import CrossValidation, cross_validate
from model_store.fit import fit_head
from model_store.manifest import Manifest, ManifestDraft
from model_store.store import ModelStore
from model_store.verdict import Thresholds
from vision.fingerprint import recipe_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Retrained:
    """What a run made."""

    run_id: int
    manifest: Manifest
    validation: CrossValidation


def retrain(
    engine: Engine, store: ModelStore, product: str, *, trigger: str, settings: Settings
) -> Retrained | None:
    """Cross-validate, fit on all labels, and store a new version; None when a run is active.

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
    try:
        with _renewed(engine, run_id, settings.training_lease_s):
            return _train(engine, store, spec, run_id, settings)
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
    engine: Engine, store: ModelStore, spec: ProductSpec, run_id: int, settings: Settings
) -> Retrained:
    space = feature_spaces.newest_labelled(engine, spec.product)
    if space is None:
        raise TrainingError(
            f"{spec.product} has no labelled picture with stored features; label some with "
            "`linewatch labels import`"
        )
    rows = labels.training_set(engine, spec.product, space.fingerprint)
    names = [row.label for row in rows]
    features = np.stack([np.frombuffer(row.vector, dtype="<f2") for row in rows]).astype(np.float64)
    validation = cross_validate(
        features, names, folds=settings.folds, random_state=settings.random_state
    )
    head = fit_head(features, names)
    now = datetime.now(UTC)
    manifest = store.save(
        head,
        ManifestDraft(
            product=spec.product,
            number=model_versions.next_number(engine, spec.product),
            good_class=spec.good_class,
            fingerprint=space.fingerprint,
            encoders=space.encoders,
            recipe=recipe_of(space.encoders),
            thresholds=Thresholds(review_below=settings.review_below),
            training_digest=training_digest((str(row.id), row.label) for row in rows),
            image_counts=dict(Counter(names)),
            metrics=validation.summary(),
            parent=deployments.champion(engine, spec.product),
            created_at=now,
        ),
    )
    model_versions.add_version(engine, _version_info(manifest, run_id))
    training.finish(
        engine,
        run_id,
        metrics=_run_metrics(validation),
        image_count=len(rows),
        model_version=manifest.version,
    )
    log.info("%s trained on %d pictures", manifest.version, len(rows))
    return Retrained(run_id, manifest, validation)


def _version_info(manifest: Manifest, run_id: int) -> model_versions.VersionInfo:
    return model_versions.VersionInfo(
        version=manifest.version,
        product=manifest.product,
        number=manifest.number,
        fingerprint=manifest.fingerprint,
        encoders=manifest.encoders,
        manifest_sha256=manifest.manifest_sha256,
        created_at=manifest.created_at,
        parent=manifest.parent,
        training_run_id=run_id,
    )


def _run_metrics(validation: CrossValidation) -> training.RunMetrics:
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
