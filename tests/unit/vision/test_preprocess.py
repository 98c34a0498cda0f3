from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest
import torch
from PIL import Image

from tests.support.pictures import texture
from vision.framing import LONGEST_ASPECT, Framing
from vision.preprocess import SIZE, _resized, preprocess


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


def test_a_picture_is_resized_as_torchvision_does_bit_for_bit() -> None:
    """A model is of features from these pixels: another resize would be another encoder."""
    from torchvision.transforms.v2 import InterpolationMode
    from torchvision.transforms.v2 import functional as torchvision

    dice = np.random.default_rng(3)
    sizes = [(224, 224), (1024, 768), (1, 1), (225, 224), *dice.integers(1, 700, (30, 2)).tolist()]
    for height, width in sizes:
        whole = dice.integers(0, 256, (height, width, 3), dtype=np.uint8)
        for pixels in (whole, whole[height // 4 :, width // 4 :]):
            image = torch.from_numpy(pixels).permute(2, 0, 1)
            for sides in ([SIZE], [SIZE, SIZE], [50, 61]):
                expected = torchvision.resize(
                    image, sides, interpolation=InterpolationMode.BICUBIC, antialias=True
                )
                if len(sides) == 1:  # the shorter side
                    expected = torchvision.center_crop(expected, [SIZE, SIZE])
                    resized = preprocess(pixels) if _is_short(pixels) else expected
                else:
                    resized = _resized(image, sides)
                assert torch.equal(resized, expected), (height, width, sides)


def _is_short(pixels: np.ndarray) -> bool:
    """What is longer is cut first."""
    return max(pixels.shape[:2]) <= LONGEST_ASPECT * min(pixels.shape[:2])


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


def test_pictures_of_many_sizes_leave_no_masks_behind() -> None:
    """Line-scan pictures are of any length; a mask has a byte a pixel."""
    triangle = Framing("squash", ((0.0, 0.0), (1.0, 0.0), (0.5, 1.0)))
    tracemalloc.start()
    try:
        for more in range(16):
            preprocess(np.zeros((1000, 1000 + more, 3), np.uint8), 224, triangle)
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < 6e6
    finally:
        tracemalloc.stop()
