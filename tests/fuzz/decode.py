"""Fuzzes the decoder: any bytes give pixels or a reason, within bounded memory."""

from __future__ import annotations

import warnings
import zlib

import atheris

with atheris.instrument_imports(include=["vision", "PIL"]):
    from tests.acceptance.faults.corpus_valid import pictures
    from tests.support.tiff import packed, tiff
    from vision.decode import decode
    from vision.errors import Unjudgeable

import numpy as np

from tests.fuzz.engine import MAX_INPUT_BYTES, fuzz

MAX_PIXELS = 200_000


def test_one(data: bytes) -> None:
    """Decode; every exception but `Unjudgeable` is a finding."""
    bits = 12 if data[-1:] < b"\x80" else None
    try:
        decoded = decode(data, max_pixels=MAX_PIXELS, bits=bits)
    except Unjudgeable:
        return
    assert decoded.width * decoded.height <= MAX_PIXELS
    assert decoded.pixels.shape == (decoded.height, decoded.width, 3)


def camera_files() -> list[bytes]:
    """TIFFs as cameras write them: deep, packed, deflated, upside down."""
    grey = np.arange(24 * 17, dtype=np.uint16).reshape(17, 24) * 10
    form = {"width": 24, "height": 17}
    deflated = {"compression": 8, "more": [(317, 3, [2])]}
    return [
        tiff(packed(grey, 12), bits=12, **form),
        tiff(packed(grey, 10), bits=10, photometric=0, **form),
        tiff(grey.astype(">u2").tobytes(), bits=16, order=">", more=[(281, 3, [4095])], **form),
        tiff(grey.astype("<u2").tobytes(), bits=16, more=[(274, 3, [6])], **form),
        tiff(zlib.compress(grey.astype("<u2").tobytes()), bits=16, **deflated, **form),
        tiff(
            zlib.compress(bytes(24 * 17 * 3)),
            bits=8,
            samples=3,
            photometric=2,
            compression=8,
            **form,
        ),
    ]


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # Pillow warns of much that is no error
    fuzz(
        test_one,
        [data for _, data, _ in pictures() if len(data) <= MAX_INPUT_BYTES] + camera_files(),
    )
