"""A model version on the device: what a batch's features mean, by all of its rules."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from model_store.novelty.distances import Distances
from model_store.serving.apply import AffineHead, NoveltyMeter, WhitenedMeter, meter_of
from model_store.serving.rejudge import judgements
from model_store.store import StoredModel
from model_store.verdicts.verdict import Judgement
from vision.backends.host_copy import HostCopy
from vision.extractor import FeatureExtractor

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Probabilities [n, k] and, where the model measures them, distances [n], on their way."""

    scores: HostCopy
    distances: HostCopy | None
    from_good: HostCopy | None


@dataclass(frozen=True, slots=True, eq=False)
class ResidentModel:
    """A model version on the device, ready to judge.

    `space` makes the features that it judges; None where whoever uses it knows that.
    """

    stored: StoredModel
    head: AffineHead
    novelty: NoveltyMeter | WhitenedMeter | None = None
    one_class: NoveltyMeter | None = None
    space: FeatureExtractor | None = None

    @property
    def version(self) -> str:
        """The name that every row it judges will carry."""
        return self.stored.manifest.version

    @classmethod
    def of(
        cls, stored: StoredModel, device: torch.device, space: FeatureExtractor | None = None
    ) -> ResidentModel:
        """The model on `device`."""
        novelty = None if stored.novelty is None else meter_of(stored.novelty)
        one_class = None if stored.one_class is None else NoveltyMeter(stored.one_class)
        return cls(
            stored,
            AffineHead(stored.head).to(device).eval(),
            novelty and novelty.to(device).eval(),
            one_class and one_class.to(device).eval(),
            space,
        )

    def measure(self, features: torch.Tensor) -> Measured:
        """Have the device compute what a verdict needs; does not wait for it.

        Args:
            features: float32 [n, d] on the device.
        """
        distances = None if self.novelty is None else HostCopy(self.novelty(features))
        from_good = None if self.one_class is None else HostCopy(self.one_class(features))
        return Measured(HostCopy(self.head(features)), distances, from_good)

    def judge(self, vectors: Floats, measured: Measured) -> tuple[Floats, list[Judgement]]:
        """Judge a batch of this product's parts, once the device has measured them.

        Args:
            vectors: float32 [n, d], the features on the host.
            measured: what `measure` gave for them.

        Returns:
            float32 [n, k] probabilities in the order of the head's classes, and n judgements.
        """
        scores = measured.scores.numpy()
        distances, from_good = (
            None if copy is None else copy.numpy()
            for copy in (measured.distances, measured.from_good)
        )
        return scores, judgements(self.stored, vectors, scores, Distances(distances, from_good))
