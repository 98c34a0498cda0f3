"""Cold start: a product's prompts become a model version, and labels are blended into it.

Both only propose: people decide, until there are labels enough to cross-validate.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import Engine

from db.models import deployments, versions
from db.session import transaction
from linewatch.errors import ModelError, ProductError, TrainingError
from linewatch.products import ProductSpec
from linewatch.settings import Settings
from model_store.heads.prompts import (
    Prototypes,
    ensemble,
    few_shot_head,
    prototypes,
    prototypes_of,
    zero_shot_head,
)
from model_store.heads.rare_prompts import helped_by_prompts
from model_store.manifest import Manifest, ManifestDraft
from model_store.promise.words import in_short, is_provisional
from model_store.store import ModelStore
from model_store.validation.folds import Fit
from model_store.verdicts.verdict import Thresholds
from training.spaces import feature_spaces
from training.stored_model import load
from vision.fingerprint import recipe_of
from vision.framing import split_words

if TYPE_CHECKING:  # only who embeds prompts loads torch
    from vision.extractor import FeatureExtractor


def make_zero_shot(
    engine: Engine,
    store: ModelStore,
    spec: ProductSpec,
    extractor: FeatureExtractor,
    settings: Settings,
) -> Manifest:
    """Store a version that proposes classes by the product's prompts; nothing needs a label.

    No figure says how often it is right, so each of its verdicts is `review`, with the class it
    proposes, until labels make a model that can be calibrated.

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
        item.code: extractor.embed_text(ensemble(item.prompts, spec.prompt_templates))
        .cpu()
        .numpy()
        .astype(np.float64)
        for item in spec.classes
    }
    words = prototypes(embedded, extractor.dim, extractor.recipe)
    head = zero_shot_head(words, extractor.recipe)
    feature_spaces.register(engine, extractor)
    fit, roi = extractor.framing.stored
    draft = ManifestDraft(
        product=spec.product,
        number=versions.next_number(engine, spec.product),
        good_class=spec.good_class,
        fingerprint=extractor.fingerprint,
        encoders=extractor.describe_space(),
        recipe=extractor.recipe,
        fit=fit,
        roi=roi,
        thresholds=Thresholds(review_below=settings.review_below, proposes=True),
        training_digest=prompts_digest(spec),
        image_counts=dict.fromkeys(head.classes, 0),
        metrics=None,
        kind="zero-shot",
        parent=deployments.champion(engine, spec.product),
        created_at=datetime.now(UTC),
    )
    manifest = store.save(head, draft)
    with transaction(engine) as connection:
        versions.add_version(connection, version_info(manifest))
    return manifest


def version_info(manifest: Manifest, training_run_id: int | None = None) -> versions.VersionInfo:
    """The row for a version that was just stored."""
    return versions.VersionInfo(
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
        promise=in_short(manifest),
        provisional=is_provisional(manifest),
    )


def prompts_version(
    known: Iterable[versions.VersionInfo], fingerprint: str, encoders: str
) -> versions.VersionInfo | None:
    """The version that holds a product's prompts in this feature space, or None.

    It is the newest zero-shot one, so that training needs no text encoder. Words are the same
    directions however pictures are framed.

    Args:
        known: the product's versions, newest first.
        fingerprint, encoders: of the feature space, and in words.
    """

    def speaks(version: versions.VersionInfo) -> bool:
        if version.fingerprint == fingerprint:
            return True
        (made_by, framing), (its, other) = map(split_words, (encoders, version.encoders))
        return made_by == its and framing != other

    return next((one for one in known if one.kind == "zero-shot" and speaks(one)), None)


def known_prototypes(
    store: ModelStore, classes: Collection[str], version: versions.VersionInfo | None
) -> Prototypes | None:
    """The directions of `classes` that `version` holds; None where it has none.

    Raises:
        ModelError: that version's files are damaged.
    """
    if version is None:
        return None
    known = prototypes_of(load(store, version).head)
    return {name: known[name] for name in classes if name in known} or None


def prompted_fit(
    fit: Fit,
    store: ModelStore,
    product: str,
    version: versions.VersionInfo | None,
    rare: Collection[str],
) -> Fit:
    """`fit`, with the rare classes helped by their prompts, which `version` holds.

    What is returned raises TrainingError where the prompts cannot be read any more.
    """
    if not rare:
        return fit

    @cache
    def helped() -> Fit:
        try:
            words = known_prototypes(store, rare, version)
            every = prototypes_of(load(store, version).head) if version and words else {}
        except ModelError as error:
            raise TrainingError(f"the prompts of {product} cannot be used: {error}") from error
        return helped_by_prompts(fit, every, rare)

    return lambda vectors, labels, parts, **copies: helped()(vectors, labels, parts, **copies)


def few_shot_fit(
    store: ModelStore,
    product: str,
    classes: Collection[str],
    version: versions.VersionInfo | None,
) -> Fit:
    """Fits heads of labels and the prompts of a product's classes, which `version` holds.

    What is returned raises TrainingError where the product has no prompts in this feature space.
    """

    @cache
    def words() -> Prototypes:
        try:
            found = known_prototypes(store, classes, version)
        except ModelError as error:
            raise TrainingError(f"the prompts of {product} cannot be used: {error}") from error
        if found is None:
            raise TrainingError(
                f"{product} has no zero-shot model for these features; make one with "
                f"`linewatch models zero-shot {product}`"
            )
        return found

    recipe = recipe_of(version.encoders if version else "")
    return lambda vectors, labels, parts: few_shot_head(vectors, labels, words(), recipe, parts)


def prompts_digest(spec: ProductSpec) -> str:
    """SHA-256 of the classes and their sentences: what a zero-shot model was made from."""
    said = {item.code: ensemble(item.prompts, spec.prompt_templates) for item in spec.classes}
    text = json.dumps({code: list(sentences) for code, sentences in said.items()}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
