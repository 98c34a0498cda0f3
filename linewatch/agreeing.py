"""Measures whether a model judges alike on the precision that the settings name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

import numpy as np
import numpy.typing as npt
import torch
from sqlalchemy import Engine

from db import agreements, feature_spaces, labels
from db.agreements import AgreementRow
from db.records import StoredFeatures
from linewatch.errors import ModelError
from linewatch.settings import Settings
from model_store.agreement import LEAST_PICTURES, Agreement, agreement
from model_store.rejudge import vectors_of
from model_store.store import StoredModel
from vision.errors import Unjudgeable
from vision.extractor import FeatureExtractor
from vision.source import read_picture
from workers import spaces

Vector = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Checked:
    """The measurement, how many pictures could not be read, and how many vectors were added."""

    agreement: Agreement
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
    _check_family(engine, model, extractor)
    stored = agreements.newest_vectors(engine, manifest.product, manifest.fingerprint, pictures)
    wanted = {
        row.inspection_id: (row.image_uri, row.image_sha256)
        for row in stored
        if row.image_uri is not None
    }
    for example in labels.without_features(engine, manifest.product, extractor.fingerprint):
        if example.image_uri is not None:
            wanted.setdefault(example.id, (example.image_uri, example.image_sha256))
    found = _features(wanted, extractor, settings)
    both = [row for row in stored if row.inspection_id in found]
    if len(both) < LEAST_PICTURES:
        raise ModelError(
            f"{len(both)} pictures of {manifest.product} have features that {manifest.version} was "
            f"fitted on and can still be read; {LEAST_PICTURES} are needed: inspect more with the "
            "present precision first"
        )
    own = vectors_of([row.vector for row in both])
    other = np.stack([found[row.inspection_id].astype(np.float64) for row in both])
    measured = agreement(model, own, other)
    _record(engine, model, extractor, measured, by)
    labelled = labels.without_features(engine, manifest.product, extractor.fingerprint)
    added = feature_spaces.store_features(
        engine,
        [
            (e.id, StoredFeatures.of(extractor.fingerprint, found[e.id]))
            for e in labelled
            if e.id in found
        ],
    )
    return Checked(measured, len(wanted) - len(found), added)


def prepared(
    uris: Iterable[tuple[str, str | None]], extractor: FeatureExtractor, settings: Settings
) -> Iterator[torch.Tensor | None]:
    """Each picture ready for the encoders, or None where it is gone or has changed."""
    for uri, sha256 in uris:
        try:
            data = read_picture(uri, roots=settings.image_roots, max_bytes=settings.max_image_bytes)
            same = sha256 is None or hashlib.sha256(data).hexdigest() == sha256
            yield extractor.prepare(data).pixels if same else None
        except Unjudgeable:
            yield None


def _features(
    wanted: dict[UUID, tuple[str, str | None]], extractor: FeatureExtractor, settings: Settings
) -> dict[UUID, Vector]:
    found: dict[UUID, Vector] = {}
    pixels = zip(wanted, prepared(wanted.values(), extractor, settings), strict=True)
    readable = ((id_, image) for id_, image in pixels if image is not None)
    while part := list(islice(readable, settings.max_batch)):
        vectors = extractor.features(torch.stack([image for _, image in part])).cpu().numpy()
        found.update(zip((id_ for id_, _ in part), vectors, strict=True))
    return found


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
    measured: Agreement,
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
    agreements.record(engine, row)
