"""Folded batch norms change the speed and nothing else."""

from __future__ import annotations

import torch
from torch import nn

from vision.encoders import EncoderPair
from vision.folding import fold_batch_norms
from vision.loading import load_clip, load_dino
from vision.weights import COMPACT, in_folder


def _trained(network: nn.Module) -> nn.Module:
    """With running statistics that are not those of a new batch norm."""
    torch.manual_seed(3)
    with torch.no_grad():
        for _ in range(3):
            network(3 + 2 * torch.randn(4, 3, 16, 16))
    return network.eval()


def test_a_network_answers_as_before_without_any_batch_norm() -> None:
    norm = nn.BatchNorm2d(8)
    network = _trained(
        nn.Sequential(nn.Conv2d(3, 8, 3, bias=False), norm, nn.ReLU(), nn.Conv2d(8, 4, 1))
    )
    images = torch.randn(2, 3, 16, 16)
    before = network(images)
    fold_batch_norms(network)
    assert norm not in list(network.modules())
    assert torch.allclose(network(images), before, atol=1e-5)


def test_a_batch_norm_after_something_else_stays() -> None:
    network = _trained(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.BatchNorm2d(8)))
    images = torch.randn(2, 3, 16, 16)
    before = network(images)
    fold_batch_norms(network)
    assert torch.equal(network(images), before)


def test_the_compact_clip_sees_what_it_saw() -> None:
    weights = in_folder(COMPACT)
    plain = load_clip(weights).model.visual.eval()
    pair = EncoderPair(load_clip(weights), load_dino(weights))
    assert not any(isinstance(module, nn.BatchNorm2d) for module in pair.modules())
    images = torch.randint(0, 256, (4, 3, 224, 224), dtype=torch.uint8)
    with torch.inference_mode():
        wanted = plain(pair.clip_normalise(images))
        seen, _ = pair(images)
    assert torch.cosine_similarity(seen, wanted).min() > 0.999999
    assert (seen - wanted).abs().max() < 1e-4 * wanted.abs().max()
