"""A head on the device: one affine layer and a softmax; and the distance from what it has seen."""

from __future__ import annotations

import torch
from torch import nn

from model_store.heads.head import Head
from model_store.novelty.novelty import AnyNovelty, Novelty
from model_store.novelty.patch_memory import PatchMemory
from model_store.novelty.whitened import WhitenedNovelty


class AffineHead(nn.Module):
    """Judges batches of features.

    The few thousand multiplications are done in float64 (see `Head.affine`); the cost is not
    noticeable beside the encoders'.

    Args:
        head: what it computes.
    """

    weight: torch.Tensor
    bias: torch.Tensor

    def __init__(self, head: Head) -> None:
        super().__init__()
        weight, bias = head.affine()
        self.classes = head.classes
        self.register_buffer("weight", torch.from_numpy(weight))
        self.register_buffer("bias", torch.from_numpy(bias))

    def logits(self, features: torch.Tensor) -> torch.Tensor:
        """float64 [n, k] from float [n, d] on the same device."""
        return torch.nn.functional.linear(features.double(), self.weight, self.bias)

    @torch.inference_mode()
    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Class probabilities, float32 [n, k], in the order of `classes`."""
        return self.logits(features).softmax(dim=-1).float()


class NoveltyMeter(nn.Module):
    """Measures how far features lie from the nearest class, see `model_store.novelty.novelty`.

    One product of directions and centres with the features; what is subtracted from each other
    after it, a few numbers a picture, is float64.

    Args:
        novelty: what it computes.
    """

    middle: torch.Tensor
    rows: torch.Tensor
    scales: torch.Tensor
    places: torch.Tensor
    lengths: torch.Tensor

    def __init__(self, novelty: Novelty) -> None:
        super().__init__()
        centres = torch.from_numpy(novelty.centres).double()
        directions = torch.from_numpy(novelty.directions)
        variances = torch.from_numpy(novelty.variances).double()
        self.rank, self.dim = directions.shape
        rest = 1 / variances[-1] if self.rank < self.dim else variances.new_zeros(())
        self.register_buffer("middle", torch.from_numpy(novelty.middle))
        self.register_buffer("rows", torch.cat([directions, centres.float()]))
        self.register_buffer("scales", torch.cat([1 / variances[:-1], rest[None]]))
        self.register_buffer("places", centres @ directions.double().T)
        self.register_buffer("lengths", centres.square().sum(dim=-1))

    @torch.inference_mode()
    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Distances, float32 [n], from float [n, d] on the same device."""
        apart = features.float() - self.middle
        products = torch.nn.functional.linear(apart, self.rows).double()
        within, along = products[:, : self.rank], products[:, self.rank :]
        inside = (within[:, None, :] - self.places).square()
        length = apart.double().square().sum(dim=-1, keepdim=True) - 2 * along + self.lengths
        beyond = (length - inside.sum(dim=-1)).clamp_min(0)
        whole = inside @ self.scales[:-1] + beyond * self.scales[-1]
        return (whole.amin(dim=-1) / self.dim).float()


class WhitenedMeter(nn.Module):
    """The same for models of 0.1.0, see `model_store.novelty.whitened`.

    Args:
        novelty: what it computes.
    """

    whitening: torch.Tensor
    centres: torch.Tensor

    def __init__(self, novelty: WhitenedNovelty) -> None:
        super().__init__()
        self.register_buffer("whitening", torch.from_numpy(novelty.whitening))
        self.register_buffer("centres", torch.from_numpy(novelty.centres))

    @torch.inference_mode()
    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Distances, float32 [n], from float [n, d] on the same device."""
        whitened = torch.nn.functional.linear(features.float(), self.whitening)
        return (whitened[:, None, :] - self.centres).square().mean(dim=-1).amin(dim=-1)


class PatchMeter(nn.Module):
    """Measures how far places lie from those of good parts, see `model_store.novelty.patch_memory`.

    Args:
        memory: what good parts look like, place by place.
    """

    known: torch.Tensor

    def __init__(self, memory: PatchMemory) -> None:
        super().__init__()
        self.register_buffer("known", torch.from_numpy(memory.tokens).float())

    @torch.inference_mode()
    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """1 − cosine to the nearest one, float32 [n, p], from float [n, p, c] of length 1."""
        # One square at a time: all products of a batch would be 50 MB.
        near = [(square @ self.known.T).amax(dim=-1) for square in tokens.float()]
        return (1 - torch.stack(near)).clamp_min(0)


def meter_of(novelty: AnyNovelty) -> NoveltyMeter | WhitenedMeter:
    """What measures `novelty` on a device."""
    return NoveltyMeter(novelty) if isinstance(novelty, Novelty) else WhitenedMeter(novelty)
