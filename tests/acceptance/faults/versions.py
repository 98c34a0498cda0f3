"""Model versions made without training, and every way to spoil one in the store."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from sqlalchemy import select

from db.base import table_of
from db.models import versions
from db.models.feature_spaces import FeatureSpace
from db.session import reading
from db.tables import FeatureSpace as FeatureSpaceRow
from model_store.heads.fit import fit_head
from model_store.manifest import Manifest, ManifestDraft
from model_store.store import ModelStore
from model_store.validation.crossval import cross_validate
from model_store.verdicts.verdict import Thresholds
from tests.acceptance.faults.trainer import PRODUCT
from tests.acceptance.live import Live
from tests.support.committed import committed
from vision.fingerprint import framing_of, recipe_of

CLASSES = ("good", "scratch")
SPOILS = ("tampered", "resealed", "truncated", "missing", "foreign")


def new_version(plant: Live, *, foreign: bool = False, product: str = PRODUCT) -> str:
    """Store and record a version for the features that this plant's worker makes, or for others."""
    number = versions.next_number(plant.engine, product)
    space = features_of(plant)
    fit, roi = framing_of(space.encoders).stored
    names = list(CLASSES) * 9
    features = np.random.default_rng(number).normal(size=(len(names), space.dim))
    draft = ManifestDraft(
        product=product,
        number=number,
        good_class="good",
        fingerprint="f" * 64 if foreign else space.fingerprint,
        encoders="others" if foreign else space.encoders,
        recipe=recipe_of(space.encoders),
        fit=fit,
        roi=roi,
        thresholds=Thresholds(review_below=0.0),
        training_digest=f"{number:064x}",
        image_counts=dict.fromkeys(CLASSES, 9),
        metrics=cross_validate(features, names).summary(),
        created_at=datetime.now(UTC),
    )
    manifest = ModelStore(plant.settings.models_url).save(fit_head(features, names), draft)
    record = {name: getattr(manifest, name) for name in _RECORDED}
    committed(plant.engine, versions.add_version, versions.VersionInfo(**record))
    return manifest.version


_RECORDED = (
    *("version", "product", "number", "fingerprint", "encoders", "manifest_sha256"),
    "created_at",
)


def spoiled_version(plant: Live, how: str) -> str:
    """A version that no worker may serve, spoiled in one of `SPOILS`."""
    version = new_version(plant, foreign=how == "foreign")
    folder = Path(plant.settings.models_url) / PRODUCT / version
    head, manifest = folder / "head.safetensors", folder / "manifest.json"
    if how == "tampered":
        data = bytearray(head.read_bytes())
        data[-1] ^= 1
        head.write_bytes(data)
    elif how == "resealed":  # by someone who knows how a manifest is sealed
        told = Manifest.model_validate(json.loads(manifest.read_text()) | {"good_class": "scratch"})
        manifest.write_text(told.sealed().model_dump_json(indent=1))
    elif how == "truncated":
        head.write_bytes(head.read_bytes()[: head.stat().st_size // 2])
    elif how == "missing":
        shutil.rmtree(folder)
    return version


def features_of(plant: Live) -> FeatureSpace:
    """What the plant's worker makes; it says so when it starts."""
    c = table_of(FeatureSpaceRow).c
    with reading(plant.engine) as connection:
        row = connection.execute(select(c.fingerprint, c.encoders, c.dim)).one()
    return FeatureSpace(*row)
