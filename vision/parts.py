"""The parts that recipes are made of: an encoder, a view of the picture, a block, a pooling.

One part needs no encoder: `pixels.texture`, see `vision.texture`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

import torch
from torch.nn import functional

from vision.texture import SIDE, texture

if TYPE_CHECKING:
    from vision.encoders import EncoderPair

EncoderName = Literal["clip", "dino", "pixels"]
View = Literal["whole", "flip", "tiles", "fine", "448", "518"]
Pool = Literal["embedding", "mean", "max", "std", "grid2", "grid3", "grid4", "grid8", "texture"]

WHOLE = 224  # pixels: the side of the picture as the encoders were trained to see it
VIEW_SIZES: dict[View, int] = {
    "whole": WHOLE,
    "flip": WHOLE,
    "fine": 336,
    "tiles": 448,
    "448": 448,  # 32 × 32 of DINOv2's patches
    "518": 518,  # 37 × 37: what DINOv2 was trained on last
}


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """One block of columns of a feature vector.

    Attributes:
        encoder: whose output; `pixels`, which have no blocks, is none's.
        pool: `texture` is the pixels' only one. `embedding` is CLIP's projected embedding or
            DINOv2's class token; the others pool the patches: their mean, maximum or standard
            deviation, or the mean of each cell of a grid, row by row, which keeps where in the
            picture something is.
        view: `whole` is the seed's 224 pixels; `flip` the mean of it and its mirror image; `fine`,
            `448` and `518` are so many pixels at once (336), DINOv2's alone: CLIP takes 224 and
            nothing else; `tiles` is four quarters of 448 pixels, put together again.
        block: which block's output, counted from the last, -1.
    """

    encoder: EncoderName
    pool: Pool
    view: View = "whole"
    block: int = -1

    def __str__(self) -> str:
        view = "" if self.view == "whole" else f"@{self.view}"
        block = "" if self.block == -1 else f"[{self.block}]"
        return f"{self.encoder}.{self.pool}{block}{view}"


_PLACES: tuple[EncoderName, View] = ("clip", "whole")  # what by-products are of
_PART = re.compile(r"(clip|dino|pixels)\.(\w+?)(?:\[(-\d+)\])?(?:@(\w+))?")
_VIEWS: dict[EncoderName, tuple[View, ...]] = {
    "clip": ("whole", "flip", "tiles"),
    "dino": get_args(View),
    "pixels": ("whole",),
}


def parse_part(text: str) -> Part:
    """The part that `str` of it gave.

    Raises:
        ValueError: it names none.
    """
    found = _PART.fullmatch(text)
    if found is None or found[2] not in get_args(Pool) or not _goes_together(found):
        raise ValueError(
            f"{text!r} is no part; dino.mean, clip.max[-2], dino.std@fine and pixels.texture are"
        )
    encoder, pool, view = (cast(Any, found[n]) for n in (1, 2, 4))
    return Part(encoder, pool, view or "whole", int(found[3] or -1))


def _goes_together(found: re.Match[str]) -> bool:
    encoder, pool, block, view = found.groups()
    if (encoder == "pixels") != (pool == "texture") or (encoder == "pixels" and block):
        return False
    return (view or "whole") in _VIEWS[cast(EncoderName, encoder)]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What an encoder made of a batch at one block.

    Attributes:
        embedding: float32 [n, c].
        patches: float32 [n, w, rows, columns].
    """

    embedding: torch.Tensor
    patches: torch.Tensor


def blocks(encoders: EncoderPair, encoder: EncoderName) -> int:
    """How many blocks an encoder has; of a ResNet its stem and four stages; pixels count as one."""
    if encoder == "pixels":
        return 1
    if encoder == "dino":
        return len(encoders.dino.encoder.layer)
    transformer = getattr(encoders.clip.visual, "transformer", None)
    return 5 if transformer is None else len(transformer.resblocks)


def columns(
    encoders: EncoderPair, images: torch.Tensor, parts: Iterable[Part]
) -> dict[Part, torch.Tensor]:
    """Each part's columns, float32 [n, d], not normalised. An encoder looks once at each view.

    Args:
        encoders: both networks.
        images: uint8 [n, 3, size, size] on their device, of the largest size that a view needs.
        parts: those wanted.
    """
    return columns_and_stages(encoders, images, parts)[0]


def columns_and_stages(
    encoders: EncoderPair,
    images: torch.Tensor,
    parts: Iterable[Part],
    stages: Sequence[int] = (),
) -> tuple[dict[Part, torch.Tensor], list[torch.Tensor]]:
    """The same, and what these of CLIP's stages gave of the whole picture, [n, c_i, h_i, w_i]."""
    wanted = list(dict.fromkeys(parts))
    looks = dict.fromkeys((part.encoder, part.view) for part in wanted)
    by_products: Mapping[int, Seen] = {}
    if stages:
        looks.setdefault(_PLACES)
    found: dict[Part, torch.Tensor] = {}
    for encoder, view in looks:
        if encoder == "pixels":
            found[Part("pixels", "texture")] = texture(resized(images, SIDE))
            continue
        mine = [part for part in wanted if (part.encoder, part.view) == (encoder, view)]
        also = stages if (encoder, view) == _PLACES else ()
        depth = max(-block for block in (*(part.block for part in mine), *also))
        seen = _look(encoders, images, encoder, view, depth)
        found.update((part, _pooled(seen[part.block], part.pool)) for part in mine)
        by_products = seen if also else by_products
    return found, [by_products[stage].patches for stage in stages]


def _look(
    encoders: EncoderPair, images: torch.Tensor, encoder: EncoderName, view: View, depth: int
) -> Mapping[int, Seen]:
    pixels = resized(images, VIEW_SIZES[view])
    encode = _clip if encoder == "clip" else _dino
    if view == "tiles":
        return {
            block: _rejoined(seen)
            for block, seen in encode(encoders, _quarters(pixels), depth).items()
        }
    seen = encode(encoders, pixels, depth)
    if view == "flip":
        mirrored = encode(encoders, pixels.flip(-1), depth)
        return {block: _averaged(seen[block], mirrored[block]) for block in seen}
    return seen


def resized(images: torch.Tensor, side: int) -> torch.Tensor:
    """`images` at `side` pixels, by averaging areas; untouched where they have it already."""
    before = images.shape[-1]
    if before == side:
        return images
    if before % side == 0:
        return functional.adaptive_avg_pool2d(images.float(), side)
    weights = _areas(before, side).to(images.device)  # as that, which ONNX has not for 518 to 224
    return weights @ images.float() @ weights.T


def _areas(before: int, after: int) -> torch.Tensor:
    """Rows that average the pixels which adaptive pooling averages, float32 [after, before]."""
    places, ends = torch.arange(before), torch.arange(1, after + 1)
    first = (torch.arange(after) * before) // after
    last = -((-ends * before) // after)
    inside = ((places >= first[:, None]) & (places < last[:, None])).float()
    return inside / inside.sum(dim=1, keepdim=True)


def _clip(encoders: EncoderPair, images: torch.Tensor, depth: int) -> dict[int, Seen]:
    embedding, stages = encoders.clip_stages(images, depth)
    return {index - len(stages): Seen(embedding, patches) for index, patches in enumerate(stages)}


def _dino(encoders: EncoderPair, images: torch.Tensor, depth: int) -> dict[int, Seen]:
    sees = encoders.as_dino_sees(images)
    last = encoders.dino(sees, output_hidden_states=depth > 1)
    found = {-1: _tokens(last.last_hidden_state, sees, encoders)}
    for block in range(-depth, -1):
        found[block] = _tokens(encoders.dino.layernorm(last.hidden_states[block]), sees, encoders)
    return found


def _tokens(tokens: torch.Tensor, sees: torch.Tensor, encoders: EncoderPair) -> Seen:
    side = sees.shape[-1] // encoders.dino.config.patch_size
    # unflatten, not reshape: a traced network keeps its number of pictures free
    patches = tokens[:, 1:].float().transpose(1, 2)
    grid: torch.Tensor = patches.unflatten(2, (side, side))  # type: ignore[no-untyped-call]
    return Seen(tokens[:, 0].float(), grid)


def _quarters(images: torch.Tensor) -> torch.Tensor:
    """[n, 3, 2s, 2s] to [4n, 3, s, s]: all the upper left ones, upper right, lower left, …"""
    rows = images.chunk(2, dim=-2)
    return torch.cat([tile for row in rows for tile in row.chunk(2, dim=-1)])


def _rejoined(seen: Seen) -> Seen:
    a, b, c, d = seen.patches.chunk(4)
    patches = torch.cat([torch.cat([a, b], dim=-1), torch.cat([c, d], dim=-1)], dim=-2)
    unit = functional.normalize(seen.embedding, dim=-1)
    return Seen(torch.cat(unit.chunk(4), dim=-1), patches)


def _averaged(first: Seen, mirrored: Seen) -> Seen:
    units = [functional.normalize(seen.embedding, dim=-1) for seen in (first, mirrored)]
    return Seen((units[0] + units[1]) / 2, (first.patches + mirrored.patches.flip(-1)) / 2)


def _pooled(seen: Seen, pool: Pool) -> torch.Tensor:
    if pool == "embedding":
        return seen.embedding
    flat = seen.patches.flatten(2)
    if pool == "mean":
        return flat.mean(dim=2)
    if pool == "max":
        return flat.amax(dim=2)
    if pool == "std":
        return flat.std(dim=2)
    cells = int(pool.removeprefix("grid"))
    return functional.adaptive_avg_pool2d(seen.patches, cells).permute(0, 2, 3, 1).flatten(1)
