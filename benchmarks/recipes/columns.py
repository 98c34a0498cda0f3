"""Computes every part's columns once for each picture and pair of encoders, and keeps them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.recipes.pictures import Pictures
from vision.encoders import EncoderPair
from vision.parts import VIEW_SIZES, Part, columns

_BATCH = 15
Columns = dict[str, NDArray[np.float32]]

WHOLE = (
    *(Part("clip", pool) for pool in ("embedding", "mean", "max", "std", "grid2", "grid3")),
    *(Part("dino", pool) for pool in ("embedding", "mean", "max", "std")),
    *(Part("dino", pool) for pool in ("grid2", "grid3", "grid4", "grid8")),
    *(Part("dino", pool, block=b) for pool in ("embedding", "mean") for b in (-2, -3, -4)),
    *(Part("clip", pool, block=-2) for pool in ("mean", "max", "std", "grid2")),
)
FLIP = tuple(Part(e, pool, "flip") for e in ("clip", "dino") for pool in ("embedding", "mean"))
FINE = tuple(Part("dino", p, "fine") for p in ("embedding", "mean", "max", "std", "grid2", "grid3"))
TILES = tuple(
    Part(e, p, "tiles")
    for e in ("clip", "dino")
    for p in ("embedding", "mean", "max", "std", "grid2")
)
VIEWS = {"whole": WHOLE, "flip": FLIP, "fine": FINE, "tiles": TILES}


def weights_digest(pair: EncoderPair) -> str:
    """SHA-256 over every weight, 16 digits."""
    found = hashlib.sha256()
    for name, tensor in sorted(pair.state_dict().items()):
        found.update(name.encode())
        found.update(tensor.contiguous().numpy().tobytes())
    return found.hexdigest()[:16]


def part_columns(
    pair: EncoderPair, pictures: Pictures, cache: Path, views: Iterable[str] = tuple(VIEWS)
) -> Columns:
    """Each part's columns, float32 [n, d], by the part's name; computed where not kept."""
    digest = weights_digest(pair)
    found: Columns = {}
    for view in views:
        path = cache / f"columns-{digest}-{pictures.name}-{pictures.digest}-{view}.npz"
        if not path.exists():
            print(f"{pictures.name}: {view}", flush=True)
            np.savez(path, **_compute(pair, pictures, VIEWS[view]))
        with np.load(path) as stored:
            found.update({name: stored[name] for name in stored.files})
    return found


def _compute(pair: EncoderPair, pictures: Pictures, parts: tuple[Part, ...]) -> Columns:
    pixels = pictures.pixels[VIEW_SIZES[parts[0].view]]
    rows: dict[str, list[NDArray[np.float32]]] = {str(part): [] for part in parts}
    with torch.inference_mode():
        for batch in pixels.split(_BATCH):
            for part, block in columns(pair, batch, parts).items():
                rows[str(part)].append(block.numpy())
    return {name: np.concatenate(blocks) for name, blocks in rows.items()}
