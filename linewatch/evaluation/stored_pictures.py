"""Features of inspected pictures whose files are still there, as a worker would make them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np

from db.inspections.passed_part import PassedPicture
from db.inspections.records import StoredFeatures
from linewatch.errors import ModelError
from linewatch.products import ProductSpec
from linewatch.settings import Settings
from training.comparison.containment import Unread
from vision.decode import digest
from vision.errors import Unjudgeable
from vision.extractor import FeatureExtractor
from vision.pictures import Pictures

if TYPE_CHECKING:
    import torch

_BATCH = 16


class StoredPictures:
    """Reads pictures again.

    Args:
        extractor: makes the features.
        spec: the pictures' product.
        settings: name the folders that pictures may lie in.
        fingerprint: of the features that are wanted.

    Raises:
        ModelError: these encoders make other features.
    """

    def __init__(
        self, extractor: FeatureExtractor, spec: ProductSpec, settings: Settings, fingerprint: str
    ) -> None:
        if extractor.fingerprint != fingerprint:
            raise ModelError(
                f"the model wants features {fingerprint:.16}, and {extractor.describe()} makes "
                f"{extractor.fingerprint:.16}; set the encoders and recipe that it was trained with"
            )
        self._extractor = extractor
        self._spec = spec
        self._settings = settings

    def vectors(self, pictures: Sequence[PassedPicture]) -> Mapping[UUID, bytes | Unread]:
        """Of each picture its vector (float16, little endian), or why there is none."""
        found: dict[UUID, bytes | Unread] = {}
        for start in range(0, len(pictures), _BATCH):
            found.update(self._some(pictures[start : start + _BATCH]))
        return found

    def _some(self, pictures: Sequence[PassedPicture]) -> dict[UUID, bytes | Unread]:
        found: dict[UUID, bytes | Unread] = {}
        ready: dict[UUID, torch.Tensor] = {}
        for one in pictures:
            try:
                ready[one.id] = self._pixels(one)
            except (Unjudgeable, LookupError) as error:
                found[one.id] = Unread(f"the picture cannot be read: {error}")
        if ready:
            made = self._extractor.features_of(list(ready.values())).cpu().numpy()
            for id_, vector in zip(ready, made, strict=True):
                if np.isfinite(vector).all():
                    found[id_] = StoredFeatures.of(self._extractor.fingerprint, vector).vector
                else:
                    found[id_] = Unread("the encoders failed on the picture")
        return found

    def _pixels(self, one: PassedPicture) -> torch.Tensor:
        if one.uri is None:
            raise LookupError("nobody knows where it lies")
        data = Pictures.from_settings(self._settings).read(one.uri).data
        if one.sha256 not in (None, digest(data)):
            raise LookupError("another picture lies there now")
        bits = self._spec.bits_of(one.camera or None)
        return self._extractor.prepare(data, self._spec.image_size, bits=bits).pixels
