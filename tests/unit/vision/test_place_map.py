from __future__ import annotations

import numpy as np
import pytest
import torch

from linewatch.product_options import Rectangle
from vision.framing import Framing
from vision.place_map import placed
from vision.preprocess import SIZE, preprocess

GRID = 14


def looked_at(framing: Framing, width: int, height: int, x: int, y: int) -> np.ndarray:
    """The brightness of each place of a black picture with a white blot of 12 % of its height."""
    reach = height // 8
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[max(0, y - reach) : y + reach, max(0, x - reach) : x + reach] = 255
    squares = preprocess(pixels, SIZE, framing)
    squares = squares if squares.ndim == 4 else squares[None]
    places = torch.nn.functional.adaptive_avg_pool2d(squares.float().mean(dim=1), GRID)
    filled = float(preprocess(np.zeros((20, 80, 3), np.uint8), SIZE, Framing("pad")).max())
    return np.where(places.numpy() > filled + 1, places.numpy(), 0).astype(np.float32)


@pytest.mark.parametrize(
    ("framing", "width", "height", "x", "y"),
    [
        (Framing("crop"), 300, 200, 170, 60),
        (Framing("squash"), 300, 200, 40, 150),
        (Framing("pad"), 300, 100, 260, 20),
        (Framing("pad"), 100, 300, 20, 260),
        (Framing("pad"), 517, 400, 500, 30),
        (Framing("tiles"), 700, 200, 600, 60),
        (Framing("tiles"), 200, 700, 60, 400),
        (Framing("tiles"), 220, 200, 60, 100),
        (Framing("pad", Rectangle(x=0.5, y=0.25, width=0.5, height=0.5)), 400, 400, 330, 160),
        (Framing("tiles", Rectangle(x=0, y=0.5, width=1, height=0.25)), 600, 600, 90, 380),
        (Framing("crop", Rectangle(x=0.2, y=0.2, width=0.8, height=0.4)), 500, 500, 300, 190),
    ],
)
def test_a_map_shows_a_blot_where_the_picture_has_it(
    framing: Framing, width: int, height: int, x: int, y: int
) -> None:
    squares = looked_at(framing, width, height, x, y)
    found = placed(squares, framing, width, height, SIZE)
    rows, columns = found.places.shape
    x0, y0, x1, y1 = found.box
    weights = found.places / found.places.sum()
    across = x0 + (x1 - x0) * float(weights.sum(axis=0) @ (np.arange(columns) + 0.5)) / columns
    down = y0 + (y1 - y0) * float(weights.sum(axis=1) @ (np.arange(rows) + 0.5)) / rows
    assert across * width == pytest.approx(x, abs=0.04 * max(width, height))
    assert down * height == pytest.approx(y, abs=0.04 * max(width, height))


def test_a_map_covers_what_was_looked_at_and_no_more_than_a_place_beyond() -> None:
    squares = np.zeros((1, GRID, GRID), np.float32)
    assert placed(squares, Framing("squash"), 300, 200, SIZE).box == (0, 0, 1, 1)
    assert placed(squares, Framing("crop"), 300, 200, SIZE).box == pytest.approx(
        (1 / 6, 0, 5 / 6, 1)
    )
    padded = placed(squares, Framing("pad"), 300, 100, SIZE)
    assert padded.places.shape == (6, GRID)
    x0, y0, x1, y1 = padded.box
    assert (x0, x1) == (0, 1)
    assert -0.22 < y0 <= 0
    assert 1 <= y1 < 1.22
