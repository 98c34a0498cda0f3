"""Cold start: a product's prompts become a model version, and labels are blended into it."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import Engine

from db import deployments, feature_spaces, model_versions
from linewatch.errors import ModelError, ProductError, TrainingError
from linewatch.products import ProductSpec
from linewatch.settings import Settings
from model_store.folds import Fit
from model_store.manifest import Manifest, ManifestDraft
from model_store.prompts import (
    Prototypes,
    few_shot_head,
    prototypes,
    prototypes_of,
    zero_shot_head,
)
from model_store.store import ModelStore
from model_store.verdict import Thresholds
from vision.fingerprint import recipe_of
from workers import spaces

if TYPE_CHECKING:  # only who embeds prompts loads torch
    from vision.extractor import FeatureExtractor


def make_zero_shot(
    engine: Engine,
    store: ModelStore,
    spec: ProductSpec,
    extractor: FeatureExtractor,
    settings: Settings,
) -> Manifest:
    """Store a version that judges by the product's prompts; nothing needs a label.

    Raises:
        ProductError: a class has no prompts.
        ModelError: these encoders' features cannot be compared with words, or the store is away.
    """
    silent = [item.code for item in spec.classes if not item.prompts]
    if silent:
        raise ProductError(
            f"{spec.product}: {', '.join(silent)} has no prompts; write some into its product "
            "file and register it again with `linewatch products register FILE`"
        )
    embedded = {
        item.code: extractor.embed_text(item.prompts).cpu().numpy().astype(np.float64)
        for item in spec.classes
    }
    words = prototypes(embedded, extractor.dim, extractor.recipe)
    head = zero_shot_head(words, extractor.recipe)
    spaces.register(engine, extractor)
    draft = ManifestDraft(
        product=spec.product,
        number=model_versions.next_number(engine, spec.product),
        good_class=spec.good_class,
        fingerprint=extractor.fingerprint,
        encoders=extractor.describe_space(),
        recipe=extractor.recipe,
        thresholds=Thresholds(review_below=settings.review_below),
        training_digest=prompts_digest(spec),
        image_counts=dict.fromkeys(head.classes, 0),
        metrics=None,
        kind="zero-shot",
        parent=deployments.champion(engine, spec.product),
        created_at=datetime.now(UTC),
    )
    manifest = store.save(head, draft)
    model_versions.add_version(engine, version_info(manifest))
    return manifest


def version_info(
    manifest: Manifest, training_run_id: int | None = None
) -> model_versions.VersionInfo:
    """The row for a version that was just stored."""
    return model_versions.VersionInfo(
        version=manifest.version,
        product=manifest.product,
        number=manifest.number,
        fingerprint=manifest.fingerprint,
        encoders=manifest.encoders,
        manifest_sha256=manifest.manifest_sha256,
        created_at=manifest.created_at,
        parent=manifest.parent,
        training_run_id=training_run_id,
        kind=manifest.kind,
    )


def known_prototypes(
    engine: Engine, store: ModelStore, spec: ProductSpec, fingerprint: str
) -> Prototypes | None:
    """The directions of the product's classes in this feature space, or None.

    They come from its newest zero-shot version, so that training needs no text encoder.

    Raises:
        ModelError: that version's files are damaged.
    """
    for info in model_versions.versions(engine, spec.product):
        if info.kind == "zero-shot" and info.fingerprint == fingerprint:
            stored = store.load(info.product, info.version, manifest_sha256=info.manifest_sha256)
            known = prototypes_of(stored.head)
            return {name: known[name] for name in spec.class_codes if name in known} or None
    return None


def few_shot_fit(engine: Engine, store: ModelStore, spec: ProductSpec, fingerprint: str) -> Fit:
    """Fits heads of prompts and labels.

    Raises:
        TrainingError: the product has no zero-shot version in this feature space.
    """
    try:
        words = known_prototypes(engine, store, spec, fingerprint)
    except ModelError as error:
        raise TrainingError(f"the prompts of {spec.product} cannot be used: {error}") from error
    if words is None:
        raise TrainingError(
            f"{spec.product} has no zero-shot model for these features; make one with "
            f"`linewatch models zero-shot {spec.product}`"
        )
    space = feature_spaces.get(engine, fingerprint)
    return partial(few_shot_head, words=words, recipe=recipe_of(space.encoders if space else ""))


def prompts_digest(spec: ProductSpec) -> str:
    """SHA-256 of the classes and their prompts: what a zero-shot model was made from."""
    text = json.dumps({item.code: list(item.prompts) for item in spec.classes}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
