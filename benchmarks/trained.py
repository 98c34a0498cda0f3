"""A benchmark's model, made as `linewatch train` makes one: labels, folds, calibration, novelty.

With good pictures enough it also remembers their places, as a plant's models do.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import numpy as np
import numpy.typing as npt
from sqlalchemy import Engine

from db import migrate, products, session
from db.inspections.inspections import commit_inspections
from db.inspections.records import StoredFeatures
from db.labels import labels
from db.models import patch_tokens
from linewatch.products import ProductSpec
from linewatch.settings import Settings
from model_store.manifest import Manifest
from model_store.store import ModelStore
from tests.support.records import a_record
from training.retraining import retrain
from training.spaces import feature_spaces
from vision.extractor import FeatureExtractor
from vision.patch_stages import LOOK


def train(
    settings: Settings,
    extractor: FeatureExtractor,
    spec: ProductSpec,
    pictures: Sequence[tuple[Path, str]],
    features: npt.NDArray[np.float32],
) -> Manifest:
    """Label pictures in a database of their own, train, and leave the version in the store.

    Args:
        settings: name the store, and whatever else training goes by.
        extractor: made the features.
        spec: the product.
        pictures: each one's file and class.
        features: float32 [n, d] of them.
    """
    with tempfile.TemporaryDirectory(dir=settings.data_dir) as folder:
        url = f"sqlite:///{folder}/training.db"
        migrate.upgrade(url)
        engine = session.engine_for(url)
        with session.transaction(engine) as connection:
            products.register(connection, spec)
        feature_spaces.register(engine, extractor)
        records = [
            a_record(
                id=uuid4(),
                product=spec.product,
                part=f"B-{number}",
                image_uri=str(path),
                features=StoredFeatures.of(extractor.fingerprint, vector),
            )
            for number, ((path, _), vector) in enumerate(zip(pictures, features, strict=True))
        ]
        commit_inspections(engine, records, settings.timezone)
        said = [
            labels.NewLabel(record.id, label, "bench")
            for record, (_, label) in zip(records, pictures, strict=True)
        ]
        with session.transaction(engine) as connection:
            labels.add_labels(connection, said)
        if extractor.gives_tokens and spec.good_class is not None:
            _store_places(engine, extractor, spec, spec.good_class)
        made = retrain(
            engine,
            ModelStore(settings.models_url),
            spec.product,
            trigger="benchmark",
            settings=settings.model_copy(update={"database_url": url}),
        )
        engine.dispose()
        assert made is not None, "nobody else trains in this database"
        return made.manifest


def _store_places(
    engine: Engine, extractor: FeatureExtractor, spec: ProductSpec, good_class: str
) -> None:
    """Leave the places of good pictures in the database, as idle workers do."""
    wanted = spec.product, good_class, extractor.fingerprint, LOOK
    for picture in patch_tokens.without_tokens(engine, *wanted, limit=patch_tokens.MOST):
        assert picture.image_uri is not None, "its row was written with it"
        data = Path(picture.image_uri).read_bytes()
        pixels = extractor.prepare(data, spec.image_size).pixels
        tokens = extractor.features_and_tokens_of([pixels])[1].flatten(0, 1).cpu().numpy()
        places = {picture.id: tokens.astype("<f2").tobytes()}
        with session.transaction(engine) as connection:
            patch_tokens.store_tokens(connection, *wanted[2:], tokens.shape[-1], places)
