"""A model version on the device: what a batch's features mean, by all of its rules."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from model_store.novelty.distances import Distances
from model_store.serving.apply import (
    AffineHead,
    NoveltyMeter,
    PatchMeter,
    WhitenedMeter,
    meter_of,
)
from model_store.serving.rejudge import judgements
from model_store.store import StoredModel
from model_store.verdicts.verdict import Judgement
from vision.backends.host_copy import HostCopy
from vision.extractor import FeatureExtractor
from workers.serving.looked_at import LookedAt, Tokens

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Probabilities [n, k] and, where the model measures them, distances [n], on their way.

    `places` are how far each place of each picture lies from good parts' places.
    """

    scores: HostCopy
    distances: HostCopy | None
    from_good: HostCopy | None
    places: LookedAt | None = None


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
    patches: PatchMeter | None = None

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
        patches = None if stored.memory is None else PatchMeter(stored.memory)
        return cls(
            stored,
            AffineHead(stored.head).to(device).eval(),
            novelty and novelty.to(device).eval(),
            one_class and one_class.to(device).eval(),
            space,
            patches and patches.to(device).eval(),
        )

    def measure(self, features: torch.Tensor, tokens: Tokens | None = None) -> Measured:
        """Have the device compute what a verdict needs; does not wait for it.

        Args:
            features: float32 [n, d] on the device.
            tokens: of the same pictures' places; without them a model that remembers good parts'
                patches judges without that rule.
        """
        distances = None if self.novelty is None else HostCopy(self.novelty(features))
        from_good = None if self.one_class is None else HostCopy(self.one_class(features))
        places = None
        if self.patches is not None and tokens is not None:
            places = LookedAt(HostCopy(self.patches(tokens.tokens)), tokens.counts)
        return Measured(HostCopy(self.head(features)), distances, from_good, places)

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
        places = measured.places
        patches = None if places is None else np.array(places.scores())
        far = Distances(distances, from_good, patches)
        return scores, judgements(self.stored, vectors, scores, far)


def looks_at_places(model: ResidentModel | None, space: FeatureExtractor) -> bool:
    """Whether a model that judges features of `space` also wants to see the pictures' places."""
    return model is not None and model.patches is not None and model.space in (None, space)
