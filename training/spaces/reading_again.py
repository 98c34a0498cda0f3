"""Features of stored pictures that are read again, in one space or in several."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from uuid import UUID

import numpy as np
import numpy.typing as npt
from sqlalchemy import Engine

from db.inspections.records import StoredFeatures
from db.labels import labels
from db.models import feature_spaces
from db.session import transaction
from linewatch.products import ProductSpec
from linewatch.settings import Settings
from training.spaces import feature_spaces as spaces
from vision.errors import Unjudgeable
from vision.pictures import Pictures

if TYPE_CHECKING:  # who has an extractor has loaded torch
    import torch

    from vision.extractor import FeatureExtractor

Vector = npt.NDArray[np.float32]
T = TypeVar("T")

_STEP = 64  # pictures whose new features are stored together


class Wanted(NamedTuple):
    """A stored picture: where it lies, its SHA-256, and how many bits of a sample count."""

    uri: str
    sha256: str | None
    bits: int | None


def missing(engine: Engine, spec: ProductSpec, fingerprint: str) -> dict[UUID, Wanted]:
    """The labelled and golden pictures without such features, of which it is known where they lie.

    An empty `fingerprint` is one that no picture has features of.
    """
    return {
        one.id: Wanted(one.image_uri, one.image_sha256, spec.bits_of(one.camera))
        for one in labels.without_features(engine, spec.product, fingerprint)
        if one.image_uri is not None
    }


def read(wanted: Wanted, settings: Settings) -> bytes:
    """A picture's file.

    Raises:
        Unjudgeable: it cannot be read.
        LookupError: it is not the picture that it was.
    """
    data = Pictures.from_settings(settings).read(wanted.uri).data
    if wanted.sha256 not in (None, hashlib.sha256(data).hexdigest()):
        raise LookupError("another picture lies there now")
    return data


def features_in(
    wanted: dict[UUID, Wanted],
    extractors: Sequence[FeatureExtractor],
    settings: Settings,
    note: Callable[[int], None] = lambda done: None,
) -> dict[UUID, list[Vector]]:
    """Each readable picture's features, one vector for each of `extractors`, which share a recipe.

    Args:
        wanted: the pictures.
        extractors: of the spaces that are wanted.
        settings: say where pictures may lie and how large a batch is.
        note: is told how many pictures are done.
    """
    found: dict[UUID, list[Vector]] = {}
    done = 0
    for part in _parts(_prepared(wanted, extractors, settings), settings.max_batch):
        ready = [(id_, views) for id_, views in part if views is not None]
        columns = [
            extractor.features_of([views[place] for _, views in ready]).cpu().numpy()
            for place, extractor in enumerate(extractors)
            if ready
        ]
        for row, (id_, _) in enumerate(ready):
            found[id_] = [vectors[row] for vectors in columns]
        done += len(part)
        note(done)
    return found


def embed_missing(
    engine: Engine,
    spec: ProductSpec,
    extractor: FeatureExtractor,
    settings: Settings,
    note: Callable[[int, int], None] = lambda done, of: None,
) -> tuple[int, int]:
    """Store the features that labelled and golden pictures still lack in a space.

    Returns:
        How many were added, and how many pictures could not be read.
    """
    spaces.register(engine, extractor)
    wanted = missing(engine, spec, extractor.fingerprint)
    added = unread = done = 0
    for part in _parts(iter(wanted.items()), _STEP):
        found = features_in(dict(part), [extractor], settings)
        made = [
            (id_, StoredFeatures.of(extractor.fingerprint, vector))
            for id_, (vector,) in found.items()
        ]
        rows = [(id_, features) for id_, features in made if features.finite]
        with transaction(engine) as connection:
            added += feature_spaces.store_features(connection, rows)
        unread, done = unread + len(part) - len(found), done + len(part)
        note(done, len(wanted))
    return added, unread


def _prepared(
    wanted: dict[UUID, Wanted], extractors: Sequence[FeatureExtractor], settings: Settings
) -> Iterator[tuple[UUID, list[torch.Tensor] | None]]:
    """Each picture ready for every space, or None where it is gone or has changed."""
    for id_, one in wanted.items():
        try:
            data = read(one, settings)
            views = extractors[0].prepare_for(extractors, data, bits=one.bits)
            yield id_, [view.pixels for view in views]
        except (Unjudgeable, LookupError):
            yield id_, None


def _parts(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part
