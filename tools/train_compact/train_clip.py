"""Trains CLIP: pictures towards their sentences, with two helpers that are dropped afterwards."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from tools.train_compact.average import follow
from tools.train_compact.batches import Batch, Batches, class_of
from tools.train_compact.cache import Cache
from tools.train_compact.captions import Caption, describe
from tools.train_compact.clock import Clock
from tools.train_compact.families import CLASSES
from tools.train_compact.helpers import Helpers
from tools.train_compact.networks import CLIP, build_clip
from vision.encoders import CLIP_MEAN, CLIP_STD, Normalise

_WEIGHT_DECAY = 0.05
MAPS = [CLIP["vision_cfg"]["width"] * times for times in (16, 32)]  # the last stages' channels


def train_clip(
    cache: Cache,
    checkpoint: Path,
    *,
    minutes: float,
    seed: int,
    batch: int,
    peak: float = 2e-3,
    device: str = "cpu",
    start: Path | None = None,
) -> None:
    """Train for `minutes`, or go on with the run that `checkpoint` holds.

    `start` is a folder of weights to begin with, else they are random.
    """
    import open_clip

    torch.manual_seed(seed)
    model = build_clip(start).to(device, memory_format=torch.channels_last).train()
    average = copy.deepcopy(model).requires_grad_(False)
    helpers = Helpers(CLIP["embed_dim"], MAPS).to(device)
    parameters = [*model.parameters(), *helpers.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=peak, weight_decay=_WEIGHT_DECAY, fused=True)
    parts = {"model": model, "average": average, "helpers": helpers, "optimiser": optimiser}
    clock = Clock(minutes, checkpoint, parts)
    tokenizer = open_clip.SimpleTokenizer(context_length=CLIP["text_cfg"]["context_length"])
    normalise = Normalise(CLIP_MEAN, CLIP_STD).to(device)
    batches, goes_on = Batches(cache, batch), True
    while goes_on:
        rng = np.random.default_rng([seed, 1, clock.step])
        drawn = batches.draw(rng).to(device)
        captions = _captions(drawn, cache, rng)
        for group in optimiser.param_groups:
            group["lr"] = peak * clock.rate
        images = normalise(drawn.pixels).contiguous(memory_format=torch.channels_last)
        with torch.autocast(torch.device(device).type, torch.bfloat16):
            image, maps = embed(model.visual, images)
        image, maps = image.float(), [cells.float() for cells in maps]
        text = model.encode_text(tokenizer([c.text for c in captions]).to(device))
        matching = contrast(image, text, model.logit_scale, _truth(drawn, captions).to(device))
        helped = helpers(image, maps, drawn)
        right = helped.pop("right")
        optimiser.zero_grad(set_to_none=True)
        torch.stack([matching, *helped.values()]).sum().backward()
        nn.utils.clip_grad_norm_(parameters, 2.0)
        optimiser.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, np.log(50))
        follow(average, model, 1 - 0.01 * (1 - clock.progress) - 0.0005)
        helped |= {"matching": matching, "right": right}
        goes_on = clock.tick(**{name: value.item() for name, value in helped.items()})
        if clock.step % 100 == 0:
            batches.grow()


def embed(tower: Any, images: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """What `encode_image` gives, and the last two stages' feature maps."""
    cells = tower.layer2(tower.layer1(tower.stem(images)))
    maps = [cells := tower.layer3(cells)]
    maps.append(tower.layer4(cells))
    return tower.attnpool(maps[-1]), maps


def _captions(batch: Batch, cache: Cache, rng: np.random.Generator) -> list[Caption]:
    """One sentence a picture, and one of every class, so that no class lacks a rival."""
    examples: dict[int, Any] = {}
    for row in rng.integers(len(cache), size=8 * len(CLASSES)).tolist():
        examples[class_of(cache.facts[row])] = cache.facts[row]
    return [describe(facts, rng) for facts in [*batch.facts, *examples.values()]]


def _truth(batch: Batch, captions: list[Caption]) -> torch.Tensor:
    """Which sentence is true of which picture, bool [pictures, sentences]."""
    return torch.tensor([[c.true_of(facts) for c in captions] for facts in batch.facts])


def contrast(
    image: torch.Tensor, text: torch.Tensor, scale: torch.Tensor, truth: torch.Tensor
) -> torch.Tensor:
    """CLIP's loss where several sentences may be true of a picture (Khosla et al. 2020)."""
    similar = functional.normalize(image, dim=-1) @ functional.normalize(text, dim=-1).T
    logits = scale.exp() * similar
    share = truth.float()
    by_image = -(share * logits.log_softmax(1)).sum(1) / share.sum(1)
    shown = truth.any(
        0
    )  # a sentence that is true of no picture here has nothing to be matched with
    columns, wanted = logits.T[shown], share.T[shown]
    by_text = -(wanted * columns.log_softmax(1)).sum(1) / wanted.sum(1)
    return 0.5 * (by_image.mean() + by_text.mean())
