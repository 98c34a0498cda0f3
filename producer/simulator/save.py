"""Writes pictures so that a folder watcher never sees half of one."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import cv2
import numpy as np
from numpy.typing import NDArray

_JPEG_QUALITY = 95


def save(pixels: NDArray[np.uint8], path: str | Path) -> None:
    """Write `pixels`, uint8 [height, width, 3] RGB, to `path`: a JPEG of quality 95, or a PNG.

    The file is written under a temporary name in the same folder and renamed when complete.

    Raises:
        ValueError: the suffix is not .jpg, .jpeg or .png, or `pixels` are not such an array.
        OSError: the folder is missing or cannot be written; nothing is left behind.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in (".jpg", ".jpeg", ".png"):
        raise ValueError(f"{path}: name the picture .jpg, .jpeg or .png")
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ValueError(
            f"{path}: pixels must be uint8 [height, width, 3], "
            f"not {pixels.dtype} {list(pixels.shape)}"
        )
    options = [] if suffix == ".png" else [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    _, encoded = cv2.imencode(suffix, cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), options)
    temporary = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        temporary.write_bytes(encoded.tobytes())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
