"""Measures whether a model judges alike on the precision that the settings name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import Engine

from db import products
from db.inspections.records import StoredFeatures
from db.labels import labels
from db.models import feature_spaces, precision_checks
from db.models.precision_checks import AgreementRow
from db.session import transaction
from linewatch.errors import ModelError
from linewatch.settings import Settings
from model_store.serving.precision_parity import LEAST_PICTURES, PrecisionParity, measure_parity
from model_store.serving.rejudge import vectors_of
from model_store.store import StoredModel
from training.spaces import feature_spaces as spaces
from training.spaces.reading_again import Wanted, features_in, missing
from vision.extractor import FeatureExtractor

Vector = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Checked:
    """The measurement, how many pictures could not be read, and how many vectors were added."""

    agreement: PrecisionParity
    unreadable: int
    added: int


def check(
    engine: Engine,
    model: StoredModel,
    extractor: FeatureExtractor,
    settings: Settings,
    *,
    pictures: int,
    by: str,
) -> Checked:
    """Judge a product's newest pictures by stored and by new features, and record how they agree.

    Every labelled picture's new features are stored as well, so that the next training in the new
    precision has all labels.

    Raises:
        ModelError: the model was fitted on other encoders, or too few of its pictures are left.
    """
    manifest = model.manifest
    extractor = spaces.space_of(extractor, manifest)
    _check_family(engine, model, extractor)
    stored = precision_checks.newest_vectors(
        engine, manifest.product, manifest.fingerprint, pictures
    )
    spec = products.require(engine, manifest.product)
    wanted = {
        row.inspection_id: Wanted(row.image_uri, row.image_sha256, spec.bits_of(row.camera))
        for row in stored
        if row.image_uri is not None
    }
    wanted = missing(engine, spec, extractor.fingerprint) | wanted
    found = {id_: row for id_, (row,) in features_in(wanted, [extractor], settings).items()}
    both = [row for row in stored if row.inspection_id in found]
    if len(both) < LEAST_PICTURES:
        raise ModelError(
            f"{len(both)} pictures of {manifest.product} have features that {manifest.version} was "
            f"fitted on and can still be read; {LEAST_PICTURES} are needed: inspect more with the "
            "present precision first"
        )
    own = vectors_of([row.vector for row in both])
    other = np.stack([found[row.inspection_id].astype(np.float64) for row in both])
    measured = measure_parity(model, own, other)
    _record(engine, model, extractor, measured, by)
    labelled = labels.without_features(engine, manifest.product, extractor.fingerprint)
    new = [
        (e.id, StoredFeatures.of(extractor.fingerprint, found[e.id]))
        for e in labelled
        if e.id in found
    ]
    with transaction(engine) as connection:
        usable = [(id_, features) for id_, features in new if features.finite]
        added = feature_spaces.store_features(connection, usable)
    return Checked(measured, len(wanted) - len(found), added)


def _check_family(engine: Engine, model: StoredModel, extractor: FeatureExtractor) -> None:
    manifest = model.manifest
    spaces.register(engine, extractor)
    fitted = feature_spaces.get(engine, manifest.fingerprint)
    family = manifest.fingerprint if fitted is None else fitted.family
    if family != extractor.reference:
        raise ModelError(
            f"{manifest.version} was fitted on other encoders or another recipe "
            f"({manifest.encoders}) than these ({extractor.describe()})"
        )


def _record(
    engine: Engine,
    model: StoredModel,
    extractor: FeatureExtractor,
    measured: PrecisionParity,
    by: str,
) -> None:
    row = AgreementRow(
        model_version=model.manifest.version,
        fingerprint=extractor.fingerprint,
        backend=extractor.backend.describe(),
        pictures=measured.pictures,
        same_class=measured.same_class,
        review_shift=measured.review_shift,
        least_cosine=measured.least_cosine,
        holds=measured.holds,
        by=by,
    )
    with transaction(engine) as connection:
        precision_checks.record(connection, row)
