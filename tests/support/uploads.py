"""Pictures in every format that cameras write, and copies of them that arrive in pieces."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

_OPTIONS: dict[str, dict[str, Any]] = {
    "a.jpg": {"quality": 95},
    "progressive.jpg": {"quality": 90, "progressive": True},
    "exif.jpg": {"quality": 90, "exif": b"Exif\0\0" + b"\xff\xd9" * 200},
    "a.png": {},
    "stored.png": {"compress_level": 0},
    "a.bmp": {},
    "grey.bmp": {"mode": "L"},
    "a.tif": {},
    "lzw.tif": {"compression": "tiff_lzw"},
    "deflate.tif": {"compression": "tiff_adobe_deflate"},
    "jpeg.tif": {"compression": "jpeg"},
    "big.tif": {"big_tiff": True},
    "pages.tif": {"save_all": True, "compression": "tiff_lzw"},
    "a.webp": {},
    "lossless.webp": {"lossless": True},
    "exif.webp": {"exif": b"Exif\0\0II*\0" + bytes(300)},
    "a.pgm": {"mode": "L"},
    "a.ppm": {},
}
FORMATS = tuple(_OPTIONS)
RAW = {"a.bmp", "grey.bmp", "a.tif", "big.tif", "a.pgm", "a.ppm"}  # pixels are not compressed


@cache
def encoded(name: str, size: int = 96) -> bytes:
    """A noisy picture, in the format and manner that `name`, one of `FORMATS`, stands for."""
    options = dict(_OPTIONS[name])
    noise = np.random.default_rng(7).integers(1, 255, (size, size, 3), dtype=np.uint8)
    image = Image.fromarray(noise).convert(options.pop("mode", "RGB"))
    if options.get("save_all"):
        options["append_images"] = [image.transpose(Image.Transpose.ROTATE_90)]
    buffer = io.BytesIO()
    kind = {"jpg": "JPEG", "tif": "TIFF", "pgm": "PPM"}.get(name[-3:], name.rpartition(".")[2])
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@dataclass(frozen=True, slots=True)
class Upload:
    """A copy that pauses in the middle.

    Args:
        name: one of `FORMATS`.
        sized_first: the file has its full size from the beginning (SMB), else it grows (FTP).
        reopened: it is closed during the pause.
    """

    name: str
    sized_first: bool = False
    reopened: bool = False

    @property
    def file_name(self) -> str:
        """Unique among uploads."""
        how = "sized" if self.sized_first else "growing"
        return f"{how}-{'reopened' if self.reopened else 'open'}-{self.name}"

    def run(
        self, folder: Path, pause_s: float, pause: Callable[[float], None] = time.sleep
    ) -> None:
        """Write it into `folder`."""
        data = encoded(self.name)
        half = len(data) // 2
        path = folder / self.file_name
        writer = path.open("wb", buffering=0)
        if self.sized_first:
            writer.truncate(len(data))
        writer.write(data[:half])
        if self.reopened:
            writer.close()
        pause(pause_s)
        if self.reopened:
            writer = path.open("r+b", buffering=0)
            writer.seek(half)
        writer.write(data[half:])
        writer.close()


def run_all(uploads: list[Upload], folder: Path, pause_s: float) -> None:
    """All at the same time; returns when all are whole."""
    threads = [threading.Thread(target=upload.run, args=(folder, pause_s)) for upload in uploads]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
