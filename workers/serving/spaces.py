"""The feature spaces of a worker: those of its models, and those of its products' next models.

The encoders are loaded once. A space of their own recipe costs nothing; one of another recipe loads
what its backend needs when a model first asks for it, before the model serves.
"""

from __future__ import annotations

from threading import Lock

import torch
from sqlalchemy import Engine

from linewatch.errors import ModelError
from linewatch.products import ProductSpec
from model_store.manifest import Manifest
from training.precision.coverage import uncovered
from training.spaces import feature_spaces
from vision.extractor import FeatureExtractor
from vision.framing import Framing, next_framing
from vision.patch_stages import LOOK


class Spaces:
    """Gives the extractor of each space, and has the database know its fingerprint.

    Args:
        engine: the database.
        extractor: of any space of the worker's encoders; its recipe is that of new models.
    """

    def __init__(self, engine: Engine, extractor: FeatureExtractor) -> None:
        self._engine = engine
        self._extractor = extractor
        self._registered: set[str] = set()
        self._registering = Lock()

    @property
    def device(self) -> torch.device:
        """Where features come out."""
        return self._extractor.device

    def of_model(self, manifest: Manifest) -> FeatureExtractor:
        """The space that a model judges.

        Raises:
            ModelError: these encoders, or this version, do not make such features.
        """
        space = feature_spaces.space_of(self._extractor, manifest)
        problem = uncovered(self._engine, manifest, space.fingerprint)
        if problem is not None:
            raise ModelError(problem)
        if manifest.patches is not None:
            _check_places(space, manifest.patches.look)
        return self._known(space)

    def of_product(self, spec: ProductSpec, champion: Manifest | None) -> FeatureExtractor:
        """The space of a product's next model, and of its pictures while it has none."""
        before = None if champion is None else Framing.of(champion.fit, champion.roi)
        return self._known(self._extractor.space(next_framing(spec, before)))

    def _known(self, space: FeatureExtractor) -> FeatureExtractor:
        with self._registering:
            if space.fingerprint not in self._registered:
                feature_spaces.register(self._engine, space)
                self._registered.add(space.fingerprint)
        return space


def _check_places(space: FeatureExtractor, look: str) -> None:
    """See that the patches which a model remembers can be compared with a picture's.

    Raises:
        ModelError: they cannot. Without that rule the model would pass what it must not.
    """
    if look != LOOK:
        raise ModelError(
            f"it remembers patches by {look}, this Linewatch looks by {LOOK}; train a new version"
        )
    if not space.gives_tokens:
        raise ModelError(
            "it remembers good parts' patches, and the optimised network, made by an earlier "
            "Linewatch, gives none of a picture; run `linewatch optimize` again, and `linewatch "
            "backends check` for each product"
        )
