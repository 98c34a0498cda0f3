"""The features of the studies' pictures, by the encoders that workers use; kept in the cache."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.studies.pictures import Pictures
from linewatch.settings import Settings
from vision.extractor import FeatureExtractor

_BATCH = 64


class Encoders:
    """The compact encoders, and the features that they made before.

    Args:
        cache: keeps features by fingerprint.
        weights: a folder of trained weights; None: those that ship.
    """

    def __init__(self, cache: Path, weights: Path | None) -> None:
        self._cache = cache
        settings = Settings(data_dir=cache, weights_dir=weights, encoders="compact", device="cpu")
        self._extractor = FeatureExtractor.from_settings(settings)

    @property
    def description(self) -> str:
        """The encoders in words."""
        return self._extractor.describe()

    def features(self, pictures: Pictures) -> NDArray[np.float64]:
        """float64 [n, d]: rounded to float16 first, as the database keeps them."""
        path = self._cache / f"features-{self._extractor.fingerprint[:12]}-{pictures.name}.npy"
        if not path.exists() or len(np.load(path, mmap_mode="r")) != len(pictures.labels):
            click.echo(f"features of {len(pictures.labels)} pictures of {pictures.name}", err=True)
            made = [
                self._extractor.features(batch)
                for pixels in pictures.batches()
                for batch in torch.from_numpy(pixels).split(_BATCH)
            ]
            np.save(path, torch.cat(made).numpy().astype(np.float16))
        return np.asarray(np.load(path), np.float64)
