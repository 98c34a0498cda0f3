"""Light and focus of pictures whose luma is known."""

from __future__ import annotations

from math import isfinite, log2

import numpy as np
import numpy.typing as npt
import pytest

from quality.drift.optics import optics_of

Pixels = npt.NDArray[np.uint8]


def grey(luma: npt.ArrayLike) -> Pixels:
    """uint8 [3, height, width] of one luma [height, width]."""
    return np.repeat(np.asarray(luma, np.uint8)[None], 3, axis=0)


def texture(seed: int = 0, size: int = 64) -> npt.NDArray[np.int64]:
    """Blobs of a few pixels between 40 and 200, all even."""
    noise = np.random.default_rng(seed).integers(20, 100, size=(size // 4, size // 4))
    return np.kron(noise, np.ones((4, 4), np.int64)) * 2


def blurred(luma: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """A mean over three by three pixels, rim and all."""
    wide = np.pad(luma, 1, mode="edge")
    height, width = luma.shape
    near = [wide[y : y + height, x : x + width] for y in range(3) for x in range(3)]
    return np.asarray(sum(near) / 9).round().astype(np.int64)


def test_light_is_the_mean_luma_in_stops() -> None:
    assert optics_of(grey(np.full((16, 16), 127))).light == pytest.approx(7)
    for channel, weight in enumerate((0.299, 0.587, 0.114)):  # BT.601
        pixels = np.zeros((3, 16, 16), np.uint8)
        pixels[channel] = 200
        assert optics_of(pixels).light == pytest.approx(log2(200 * weight + 1))


def test_focus_is_how_much_the_laplacian_varies_beside_the_mean() -> None:
    """On a chessboard of 100 and 110 it is 40 on one colour and −40 on the other."""
    board = 100 + 10 * (np.indices((32, 32)).sum(axis=0) % 2)
    assert optics_of(grey(board)).focus == pytest.approx(log2(40 / 106 + 0.01))
    slope = np.tile(np.arange(0, 64, 2), (32, 1))
    assert optics_of(grey(slope)).focus == pytest.approx(log2(0.01), abs=1e-4)  # no edge at all


def test_edges_count_in_both_directions() -> None:
    stripes = np.tile(np.repeat([60, 180], 2), (32, 8))
    across, down = optics_of(grey(stripes)), optics_of(grey(stripes.T.copy()))
    assert across.focus == pytest.approx(down.focus, abs=0.2)
    assert across.focus > log2(0.5)


def test_half_the_light_is_a_stop_and_blurs_nothing() -> None:
    whole, half = optics_of(grey(texture())), optics_of(grey(texture() // 2))
    assert whole.light - half.light == pytest.approx(1, abs=0.02)
    assert whole.focus == pytest.approx(half.focus, abs=0.02)


def test_blur_takes_no_light() -> None:
    sharp, soft = optics_of(grey(texture())), optics_of(grey(blurred(texture())))
    assert sharp.focus - soft.focus > 0.5
    assert sharp.light == pytest.approx(soft.light, abs=0.02)


def test_squares_of_one_picture_are_measured_together() -> None:
    """Two alike say what one does; of a dark and a bright one it is the mean luma."""
    one = grey(texture())
    assert optics_of(np.stack([one, one])) == pytest.approx(optics_of(one))
    both = np.stack([grey(np.full((16, 16), 54)), grey(np.full((16, 16), 200))])
    assert optics_of(both).light == pytest.approx(7)


@pytest.mark.parametrize("size", [(1, 1), (2, 9), (3, 3), (9, 2), (7, 30), (30, 30), (224, 224)])
@pytest.mark.parametrize("value", [0, 1, 255])
def test_black_and_flat_pictures_have_finite_numbers(size: tuple[int, int], value: int) -> None:
    found = optics_of(grey(np.full(size, value)))
    assert all(isfinite(number) for number in found)
    assert found.light == pytest.approx(log2(value + 1))
    assert found.focus == pytest.approx(log2(0.01))


def test_pixels_are_left_alone() -> None:
    pixels = grey(texture())
    before = pixels.copy()
    optics_of(pixels)
    assert (pixels == before).all()
