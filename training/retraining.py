"""Labels and stored features become a model version. Needs no GPU and no pictures.

At most one run a product is active anywhere: the row of the run is the lock, and its lease lets
another worker take over from one that died.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from sqlalchemy import Engine

from db import products
from db.labels import labels
from db.models import runs, versions
from db.session import transaction
from linewatch.errors import LinewatchError
from linewatch.products import ProductSpec
from linewatch.settings import Settings
from model_store.fitting.progress import Progress, Told
from model_store.gate.gate import Decision
from model_store.heads.search import Search
from model_store.manifest import Manifest
from model_store.store import ModelStore
from model_store.training_copies.trial import CopiesTrial
from model_store.validation.crossval import CrossValidation
from training.learning import learn
from training.lease import renewed
from training.new_version import save_learned
from training.promotion import Promotion, Wish, carry_out, consider
from training.prompts import version_info
from training.training_material import TrainingMaterial
from vision.framing import Framing

log = logging.getLogger(__name__)

READING, GATE = ("reading labels and features", 0.0), ("gate", 0.7)


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
        split_note: what is to be known of splits by lot, or None.
    """

    run_id: int
    manifest: Manifest
    validation: CrossValidation | None
    promotion: Promotion | None = None
    search: Search | None = None
    copies: CopiesTrial | None = None
    split_note: str | None = None

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
    on_progress: Told | None = None,
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
        on_progress: is told what the run is at; the row of the run says so soon after.

    Returns:
        What was made; None when a run is active.

    Raises:
        UnknownProductError: it is not registered.
        TrainingError: the labels do not suffice; the failed run is recorded with the reason.
    """
    spec = products.require(engine, product)
    with transaction(engine) as connection:
        run_id = runs.start_run(connection, product, trigger, settings.training_lease_s)
        if run_id is not None:
            runs.report(connection, run_id, *READING)
    if run_id is None:
        log.info("%s is being retrained already", product)
        return None

    progress = Progress(READING, on_progress)
    try:
        if on_progress is not None:
            on_progress(*READING)
        with renewed(engine, run_id, settings.training_lease_s, progress):
            return _train(
                engine, store, spec, run_id, settings, wish, few_shot, search, framing, progress
            )
    except Exception as error:
        with transaction(engine) as connection:
            runs.fail(connection, run_id, str(error), progress.now)
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
    progress: Progress,
) -> Retrained:
    material = TrainingMaterial.read(
        engine, spec, settings.recipe, framing=framing, by=settings.group_by
    )
    if material.split_note is not None:
        log.warning("%s", material.split_note)
    learned = learn(
        material,
        store,
        settings=settings,
        few_shot=few_shot,
        progress=progress,
        search=search,
    )
    manifest = save_learned(engine, store, material, learned)
    version, row = manifest.version, version_info(manifest, run_id)
    progress.note(*GATE)
    with transaction(engine) as connection:
        runs.report(connection, run_id, *GATE)  # refused to a run that lost its place
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
        run_id,
        manifest,
        learned.validation,
        promotion,
        learned.search,
        learned.copies,
        material.split_note,
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
