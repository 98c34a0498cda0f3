"""Fuzzes the decoder: any bytes give pixels or a reason, within bounded memory."""

from __future__ import annotations

import warnings

import atheris

with atheris.instrument_imports(include=["vision", "PIL"]):
    from tests.acceptance.faults.corpus_valid import pictures
    from vision.decode import decode
    from vision.errors import Unjudgeable

from tests.fuzz.engine import MAX_INPUT_BYTES, fuzz

MAX_PIXELS = 200_000


def test_one(data: bytes) -> None:
    """Decode; every exception but `Unjudgeable` is a finding."""
    try:
        decoded = decode(data, max_pixels=MAX_PIXELS)
    except Unjudgeable:
        return
    assert decoded.width * decoded.height <= MAX_PIXELS
    assert decoded.pixels.shape == (decoded.height, decoded.width, 3)


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # Pillow warns of much that is no error
    fuzz(test_one, [data for _, data, _ in pictures() if len(data) <= MAX_INPUT_BYTES])
