"""Pictures for tests: generated ones, and the real ones where they are to be had."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image


def texture(width: int, height: int, seed: int = 0) -> npt.NDArray[np.uint8]:
    """A picture with structure at every scale: uint8 [height, width, 3]."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width, 3))
    for cells in (3, 9, 27, 81):
        noise = Image.fromarray(rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
        total += np.asarray(noise.resize((width, height), Image.Resampling.BICUBIC), dtype=float)
    return (total / 4).astype(np.uint8)


def encoded(image: Image.Image, format_: str, **options: object) -> bytes:
    """The bytes of a picture's file."""
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


def real_pictures(name: str, each: int) -> list[Path]:
    """`each` pictures of every class of a real data set; skips where it is missing.

    It is looked for in LINEWATCH_TEST_DATA, then in `shared/data` beside the repository.
    """
    candidates = [Path(os.environ.get("LINEWATCH_TEST_DATA", "/nowhere"))]
    candidates += [parent / "shared" / "data" for parent in Path(__file__).resolve().parents]
    for folder in candidates:
        classes = sorted(path for path in (folder / name).glob("*") if path.is_dir())
        if classes:
            return [file for kind in classes for file in sorted(kind.iterdir())[:each]]
    pytest.skip(f"no pictures called {name}; name their folder in LINEWATCH_TEST_DATA")
