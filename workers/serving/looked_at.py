"""What a model finds at the places of a batch's pictures, on its way from the device."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from model_store.novelty import patch_memory
from vision.backends.host_copy import HostCopy
from vision.extractor import FeatureExtractor

Places = npt.NDArray[np.float32]


class Tokens(NamedTuple):
    """The places of a batch's pictures.

    Attributes:
        tokens: float32 [squares, p, c] on the device.
        counts: the squares of each picture, in order.
    """

    tokens: torch.Tensor
    counts: Sequence[int]

    def part(self, first: int, end: int) -> Tokens:
        """Those of the pictures from `first` to before `end`."""
        begin, size = sum(self.counts[:first]), sum(self.counts[first:end])
        return Tokens(self.tokens[begin : begin + size], self.counts[first:end])


@dataclass(frozen=True, slots=True, eq=False)
class LookedAt:
    """How far each place lies from good parts' places.

    Attributes:
        far: float32 [squares, p], on its way.
        counts: the squares of each picture, in order.
    """

    far: HostCopy
    counts: Sequence[int]

    def of_pictures(self) -> Iterator[Places]:
        """Each picture's values, float32 [w, p]."""
        first, values = 0, self.far.numpy()
        for count in self.counts:
            yield values[first : first + count]
            first += count

    def scores(self) -> list[float]:
        """How unlike good each picture is; NaN where the networks failed on it."""
        if all(count == 1 for count in self.counts):
            return list(patch_memory.scores(self.far.numpy().astype(np.float64)).tolist())
        pictures = (one.reshape(1, -1).astype(np.float64) for one in self.of_pictures())
        return [float(patch_memory.scores(one)[0]) for one in pictures]


def computed(
    pixels: Sequence[torch.Tensor], space: FeatureExtractor, places: bool
) -> tuple[torch.Tensor, Tokens | None]:
    """Features of prepared pictures and, where they are asked for, tokens of their places."""
    if not places:
        return space.features_of(pixels), None
    features, tokens = space.features_and_tokens_of(pixels)
    return features, Tokens(tokens, [1 if one.ndim == 3 else len(one) for one in pixels])
