"""What was learned becomes the files of a product's next model version."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator

from sqlalchemy import Engine

from db.models import deployments, versions
from model_store.heads.kinds import BEFORE
from model_store.manifest import Manifest, ManifestDraft
from model_store.store import ModelStore
from training.learning import Learned
from training.training_material import TrainingMaterial


def save_learned(
    engine: Engine, store: ModelStore, material: TrainingMaterial, learned: Learned
) -> Manifest:
    """Store what was learned as the product's next version.

    Raises:
        ModelError: the store is full, read-only or away.
    """
    product, space = material.product, material.space
    decided, validation = learned.decided, learned.validation
    counts = Counter(row.label for row in material.rows)
    digest = training_digest((str(row.id), row.label) for row in material.rows)
    fit, roi = material.framing
    number, parent = versions.next_number(engine, product), deployments.champion(engine, product)
    draft = ManifestDraft(
        product=product,
        number=number,
        good_class=material.good_class,
        fingerprint=space.fingerprint,
        encoders=space.encoders,
        recipe=material.recipe,
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
        patches=decided.memory and decided.memory.remembered,
        prompted=learned.prompted,
        head=None if learned.head == BEFORE else learned.head,
        weighting="even" if learned.kind == "fitted" else None,
        copies=learned.copies.names if learned.copies and learned.copies.used else (),
        parent=parent,
        created_at=material.as_of,
    )
    one_class = None if decided.one_class is None else decided.one_class.measure
    return store.save(
        decided.head,
        draft,
        novelty=decided.novelty,
        one_class=one_class,
        memory=None if decided.memory is None else decided.memory.memory,
    )


def training_digest(pairs: Iterator[tuple[str, str]]) -> str:
    """SHA-256 of the sorted (picture id, label) pairs: the same labels give the same digest."""
    text = "\n".join(f"{picture}\t{label}" for picture, label in sorted(pairs))
    return hashlib.sha256(text.encode()).hexdigest()
