"""The pictures that int8 is calibrated on: brought to squares as the models see them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from sqlalchemy import Engine

from db import products
from db.models.precision_checks import newest_uris
from linewatch.settings import Settings
from training.spaces.framing import champion_framing
from vision.decode import decode
from vision.errors import Unjudgeable
from vision.framing import Framing, chosen, next_framing
from vision.pictures import Pictures
from vision.preprocess import preprocess

_SEED = 42


def of_folder(
    folder: Path, limit: int, size: int, settings: Settings, framing: Framing | None = None
) -> list[torch.Tensor]:
    """Squares of the files in a folder, evenly spread over all its sub-folders.

    Args:
        folder: holds pictures, and may hold other files.
        limit: the most files, and the most squares.
        size: the side of a square, in pixels.
        settings: say how large a picture may be.
        framing: None: that of new models of products whose file says nothing.

    Returns:
        uint8 [3, size, size] each.
    """
    most = settings.max_image_bytes
    paths = (path for path in folder.rglob("*") if path.is_file())
    files = sorted(path for path in paths if path.stat().st_size <= most)
    some = files[:: max(1, len(files) // limit)][:limit]
    return _drawn(_squares((path.read_bytes() for path in some), size, settings, framing), limit)


def inspected(engine: Engine, limit: int, size: int, settings: Settings) -> list[torch.Tensor]:
    """Squares of what is left of the newest judged pictures, as many of each product.

    A product's pictures are framed as its champion sees them, or else its next model.
    """
    pictures, found = Pictures.from_settings(settings), list[list[torch.Tensor]]()
    specs = products.all_products(engine)
    for code, spec in specs.items():
        framing = champion_framing(engine, code) or next_framing(spec, None)
        files = _read(pictures, newest_uris(engine, -(-limit // len(specs)), code))
        found.append(_squares(files, size, settings, framing))
    share = limit // max(1, sum(bool(squares) for squares in found))
    return [square for squares in found for square in _drawn(squares, share)]


def _drawn(squares: list[torch.Tensor], most: int) -> list[torch.Tensor]:
    """At most so many of them, drawn at random, always alike: a step would meet the same tiles."""
    if len(squares) <= most:
        return squares
    return random.Random(_SEED).sample(squares, most)  # noqa: S311


def _read(pictures: Pictures, uris: Iterable[str]) -> Iterator[bytes]:
    for uri in uris:
        try:
            yield pictures.read(uri).data
        except Unjudgeable:
            continue


def _squares(
    files: Iterable[bytes], size: int, settings: Settings, framing: Framing | None
) -> list[torch.Tensor]:
    found: list[torch.Tensor] = []
    for data in files:
        try:
            pixels = decode(data, max_pixels=settings.max_image_pixels).pixels
            seen = framing or chosen(None, None, (pixels.shape[1], pixels.shape[0]))
            squares = preprocess(pixels, size, seen)
        except Unjudgeable:
            continue
        found.extend(squares if squares.ndim == 4 else [squares])
    return found
