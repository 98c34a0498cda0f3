"""Labels and stored features become a model version. Needs no GPU and no pictures.

At most one run a product is active anywhere: the row of the run is the lock, and its lease lets
another worker take over from one that died.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Engine

from db import products
from db.labels import labels
from db.models import deployments, runs, versions
from db.session import transaction
from linewatch.errors import LinewatchError
from linewatch.products import ProductSpec
from linewatch.settings import Settings
from model_store.copies_trial import CopiesTrial
from model_store.crossval import CrossValidation
from model_store.gate import Decision
from model_store.head_kinds import BEFORE
from model_store.head_search import Search
from model_store.manifest import Manifest, ManifestDraft
from model_store.store import ModelStore
from training.heads import serving_head
from training.learning import Learned, Progress, learn
from training.lease import renewed
from training.promotion import Promotion, Wish, carry_out, consider
from training.prompts import version_info
from training.training_material import TrainingMaterial
from vision.fingerprint import framing_of, recipe_of
from vision.framing import Framing

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Retrained:
    """What a run made, and whether it serves.

    Attributes:
        run_id: the run.
        manifest: of the version that was stored.
        validation: None for a few-shot model, and for one of good parts alone.
        promotion: None where the gate could not be asked.
        search: the kinds of head that were tried; None where nobody asked for it.
        copies: whether copies of the pictures helped; None where there were none to learn from.
    """

    run_id: int
    manifest: Manifest
    validation: CrossValidation | None
    promotion: Promotion | None = None
    search: Search | None = None
    copies: CopiesTrial | None = None

    @property
    def decision(self) -> Decision | None:
        """The gate's; None where it could not be asked."""
        return None if self.promotion is None else self.promotion.decision

    @property
    def promoted(self) -> bool:
        """Whether the version serves now."""
        return self.promotion is not None and self.promotion.promoted


def retrain(
    engine: Engine,
    store: ModelStore,
    product: str,
    *,
    trigger: str,
    settings: Settings,
    wish: Wish | None = None,
    few_shot: bool = False,
    search: bool = False,
    framing: Framing | None = None,
    on_progress: Progress | None = None,
) -> Retrained | None:
    """Cross-validate, fit on all labels, store a new version; promote it if that is wanted.

    Args:
        engine, store, product: what to train, and where.
        trigger: why, for the record of runs.
        settings: folds, thresholds and rules.
        wish: who wants the new version to serve; None: as the settings have it.
        few_shot: blend prompts and labels, however many labels there are.
        search: look for the best kind of head.
        framing: train on features in this one; None: in the one wanted, if there are enough.
        on_progress: is told what the run is at; the row of the run says so too.

    Returns:
        What was made; None when a run is active.

    Raises:
        UnknownProductError: it is not registered.
        TrainingError: the labels do not suffice; the failed run is recorded with the reason.
    """
    spec = products.require(engine, product)
    with transaction(engine) as connection:
        run_id = runs.start_run(connection, product, trigger, settings.training_lease_s)
    if run_id is None:
        log.info("%s is being retrained already", product)
        return None

    def note(stage: str, share: float) -> None:
        with transaction(engine) as connection:
            runs.report(connection, run_id, stage, share)
        if on_progress is not None:
            on_progress(stage, share)

    try:
        with renewed(engine, run_id, settings.training_lease_s):
            return _train(
                engine, store, spec, run_id, settings, wish, few_shot, search, framing, note
            )
    except Exception as error:
        with transaction(engine) as connection:
            runs.fail(connection, run_id, str(error))
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
    wish: Wish | None,
    few_shot: bool,
    search: bool,
    framing: Framing | None,
    note: Progress,
) -> Retrained:
    note("reading labels and features", 0.0)
    material = TrainingMaterial.read(
        engine, spec, settings.recipe, framing=framing, by=settings.group_by
    )
    learned = learn(
        material,
        store,
        settings=settings,
        few_shot=few_shot,
        note=note,
        serving=serving_head(engine, store, spec.product),
        search=search,
    )
    manifest = _save(engine, store, material, learned)
    version, row = manifest.version, version_info(manifest, run_id)
    note("gate", 0.7)
    with transaction(engine) as connection:
        versions.add_version(connection, row)
    promotion = _consider(engine, store, version, wish or Wish.of(settings), settings)
    with transaction(engine) as connection:
        runs.finish(  # before it is promoted: a run that lost its place promotes nothing
            connection,
            run_id,
            metrics=learned.metrics,
            image_count=len(material.rows),
            model_version=version,
        )
    log.info("%s trained on %d pictures", version, len(material.rows))
    if promotion is not None:
        promotion = carry_out(engine, promotion)
    return Retrained(
        run_id, manifest, learned.validation, promotion, learned.search, learned.copies
    )


def _save(
    engine: Engine, store: ModelStore, material: TrainingMaterial, learned: Learned
) -> Manifest:
    product, space = material.product, material.space
    decided, validation = learned.decided, learned.validation
    counts = Counter(row.label for row in material.rows)
    digest = training_digest((str(row.id), row.label) for row in material.rows)
    recipe = recipe_of(space.encoders)
    fit, roi = framing_of(space.encoders).stored
    draft = ManifestDraft(
        product=product,
        number=versions.next_number(engine, product),
        good_class=material.good_class,
        fingerprint=space.fingerprint,
        encoders=space.encoders,
        recipe=recipe,
        fit=fit,
        roi=roi,
        thresholds=decided.thresholds,
        decisions=decided.report,
        training_digest=digest,
        image_counts={name: counts[name] for name in decided.head.classes},
        part_counts=validation and validation.part_counts,
        metrics=validation and validation.metrics,
        kind=learned.kind,
        unlike_good=decided.unlike_good,
        prompted=learned.prompted,
        head=None if learned.head == BEFORE else learned.head,
        weighting="even" if learned.kind == "fitted" else None,
        copies=learned.copies.names if learned.copies and learned.copies.used else (),
        parent=deployments.champion(engine, product),
        created_at=material.as_of,
    )
    one_class = None if decided.one_class is None else decided.one_class.measure
    return store.save(
        decided.head,
        draft,
        novelty=decided.novelty,
        one_class=one_class,
    )


def _consider(
    engine: Engine, store: ModelStore, version: str, wish: Wish, settings: Settings
) -> Promotion | None:
    """Ask whether it may serve; a model that cannot be compared is a model all the same."""
    try:
        return consider(engine, store, version, wish, settings=settings)
    except LinewatchError as error:
        log.warning("the gate could not be asked about %s: %s", version, error)
        return None


def training_digest(pairs: Iterator[tuple[str, str]]) -> str:
    """SHA-256 of the sorted (picture id, label) pairs: the same labels give the same digest."""
    text = "\n".join(f"{picture}\t{label}" for picture, label in sorted(pairs))
    return hashlib.sha256(text.encode()).hexdigest()
