"""Features of inspected pictures whose files are still there, as a worker would make them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from db.inspections.passed_part import PassedPicture
from db.inspections.records import StoredFeatures
from linewatch.errors import ModelError
from linewatch.products import ProductSpec
from linewatch.settings import Settings
from model_store.novelty import patch_memory
from model_store.novelty.patch_memory import PatchMemory
from training.comparison.containment import Seen, Unread
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
        memory: of good parts' patches, which the pictures are compared with; None: of none.

    Raises:
        ModelError: these encoders make other features, or see no places where the model remembers
            those of good parts.
    """

    def __init__(
        self,
        extractor: FeatureExtractor,
        spec: ProductSpec,
        settings: Settings,
        fingerprint: str,
        memory: PatchMemory | None = None,
    ) -> None:
        if extractor.fingerprint != fingerprint:
            raise ModelError(
                f"the model wants features {fingerprint:.16}, and {extractor.describe()} makes "
                f"{extractor.fingerprint:.16}; set the encoders and recipe that it was trained with"
            )
        if memory is not None and not extractor.gives_tokens:
            raise ModelError(
                "the model remembers good parts' patches, and the optimised network gives none of "
                "a picture; run `linewatch optimize` again, or set LINEWATCH_BACKEND=torch"
            )
        self._memory = memory
        self._extractor = extractor
        self._spec = spec
        self._settings = settings

    def seen(self, pictures: Sequence[PassedPicture]) -> Mapping[UUID, Seen | Unread]:
        """Of each picture what the model judges it by, or why there is nothing."""
        found: dict[UUID, Seen | Unread] = {}
        for start in range(0, len(pictures), _BATCH):
            found.update(self._some(pictures[start : start + _BATCH]))
        return found

    def _some(self, pictures: Sequence[PassedPicture]) -> dict[UUID, Seen | Unread]:
        found: dict[UUID, Seen | Unread] = {}
        ready: dict[UUID, torch.Tensor] = {}
        for one in pictures:
            try:
                ready[one.id] = self._pixels(one)
            except (Unjudgeable, LookupError) as error:
                found[one.id] = Unread(f"the picture cannot be read: {error}")
        if ready:
            for id_, vector, score in zip(ready, *self._made(list(ready.values())), strict=True):
                if np.isfinite(vector).all():
                    kept = StoredFeatures.of(self._extractor.fingerprint, vector)
                    found[id_] = Seen(kept.vector, score)
                else:
                    found[id_] = Unread("the encoders failed on the picture")
        return found

    def _made(
        self, pixels: list[torch.Tensor]
    ) -> tuple[NDArray[np.float32], Sequence[float | None]]:
        """Features and, for a model that remembers patches, how unlike good each picture is."""
        if self._memory is None:
            return self._extractor.features_of(pixels).cpu().numpy(), [None] * len(pixels)
        features, tokens = self._extractor.features_and_tokens_of(pixels)
        maps, scores = self._memory.maps(tokens.cpu().numpy()), []
        for one in pixels:
            count = 1 if one.ndim == 3 else len(one)
            scores.append(float(patch_memory.scores(maps[:count].reshape(1, -1))[0]))
            maps = maps[count:]
        return features.cpu().numpy(), scores

    def _pixels(self, one: PassedPicture) -> torch.Tensor:
        if one.uri is None:
            raise LookupError("nobody knows where it lies")
        data = Pictures.from_settings(self._settings).read(one.uri).data
        if one.sha256 not in (None, digest(data)):
            raise LookupError("another picture lies there now")
        bits = self._spec.bits_of(one.camera or None)
        return self._extractor.prepare(data, self._spec.image_size, bits=bits).pixels
