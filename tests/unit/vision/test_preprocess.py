from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from tests.support.pictures import texture
from vision.preprocess import SIZE, preprocess


@pytest.mark.parametrize(
    "size", [(224, 224), (900, 900), (1024, 768), (333, 1001), (128, 128), (1, 1), (225, 224)]
)
def test_any_picture_becomes_a_square_like_pillows(size: tuple[int, int]) -> None:
    pixels = texture(*size)
    result = preprocess(pixels)
    assert result.shape == (3, SIZE, SIZE)
    assert result.dtype == torch.uint8
    assert result.is_contiguous()
    expected = _with_pillow(pixels)
    difference = np.abs(result.permute(1, 2, 0).numpy().astype(int) - expected)
    assert difference.max() <= 2, difference.max()


@pytest.mark.parametrize("size", [(1, 100_000), (100_000, 1), (3, 50_000)])
def test_a_very_long_picture_costs_no_more_than_a_square(size: tuple[int, int]) -> None:
    pixels = np.zeros((size[1], size[0], 3), dtype=np.uint8)
    middle = tuple(
        slice(side // 2 - 8, side // 2 + 8) if side > 8 else slice(None) for side in size
    )
    pixels[middle[1], middle[0]] = 200
    result = preprocess(pixels)
    assert result.shape == (3, SIZE, SIZE)
    assert result[:, SIZE // 2, SIZE // 2].tolist() == [200] * 3


def test_the_input_is_left_alone() -> None:
    pixels = texture(300, 300)
    before = pixels.copy()
    preprocess(pixels)[:] = 0
    np.testing.assert_array_equal(pixels, before)
    square = texture(224, 224)
    before = square.copy()
    preprocess(square)[:] = 0
    np.testing.assert_array_equal(square, before)


def _with_pillow(pixels: np.ndarray) -> np.ndarray:
    image = Image.fromarray(pixels)
    short = min(image.size)
    width, height = (int(SIZE * side / short) for side in image.size)
    resized = image.resize((width, height), Image.Resampling.BICUBIC)
    left, top = round((width - SIZE) / 2), round((height - SIZE) / 2)
    return np.asarray(resized.crop((left, top, left + SIZE, top + SIZE))).astype(int)
