from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter

from linewatch.product_options import Roi
from tests.support.pictures import texture
from vision.errors import Unjudgeable
from vision.fingerprint import Fingerprint, framing_of, recipe_of, space_description
from vision.framing import FILL, MOST_TILES, Framing, chosen, long_side, tile_starts, unseen
from vision.preprocess import preprocess
from vision.recipe import Block
from vision.windows import pooled, squares

S = 32
FITS = ("crop", "squash", "pad", "tiles")


def roi(text: str) -> Roi:
    return TypeAdapter(Roi).validate_json(text)


LEFT = roi('{"x": 0, "y": 0, "width": 0.5, "height": 1}')
TRIANGLE = roi("[[0, 0], [1, 0], [0, 1]]")


def with_flaw(width: int, height: int, x: int, y: int) -> np.ndarray:
    pixels = np.full((height, width, 3), 40, np.uint8)
    pixels[max(0, y - 10) : y + 10, max(0, x - 10) : x + 10] = 250
    return pixels


@pytest.mark.parametrize(("width", "height", "x", "y"), [(400, 100, 20, 50), (100, 300, 50, 290)])
def test_a_flaw_beyond_the_centre_is_seen_unless_it_is_cropped(
    width: int, height: int, x: int, y: int
) -> None:
    pixels = with_flaw(width, height, x, y)
    brightest = {fit: int(preprocess(pixels, S, Framing(fit)).max()) for fit in FITS}
    assert brightest["crop"] < 60
    assert min(brightest[fit] for fit in FITS[1:]) > 200, brightest


@pytest.mark.parametrize("fit", FITS)
def test_a_square_picture_is_the_same_by_every_fit(fit: str) -> None:
    pixels = texture(90, 90)
    expected = preprocess(pixels, S)
    assert torch.equal(preprocess(pixels, S, Framing(fit)), expected)  # type: ignore[arg-type]


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("size", [(1, 1), (1, 40_000), (40_000, 1), (3, 900)])
def test_the_longest_picture_costs_a_bounded_number_of_squares(
    fit: str, size: tuple[int, int]
) -> None:
    found = preprocess(np.zeros((size[1], size[0], 3), np.uint8), S, Framing(fit))  # type: ignore[arg-type]
    assert found.shape[-3:] == (3, S, S)
    assert found.ndim == 3 or len(found) <= MOST_TILES


@pytest.mark.parametrize("longer", range(224, 2400, 37))
def test_tiles_leave_no_pixel_out_and_overlap(longer: int) -> None:
    length = long_side(longer, 224, 224)
    starts = tile_starts(length, 224)
    assert starts[0] == 0
    assert starts[-1] + 224 == max(length, 224)
    assert all(after - before <= 224 * 7 / 8 + 1 for before, after in pairwise(starts))
    assert len(starts) <= MOST_TILES


def test_padding_is_the_encoders_mean_and_keeps_the_shape() -> None:
    found = preprocess(with_flaw(200, 100, 100, 50), S, Framing("pad"))
    assert found[:, 0, 0].tolist() == list(FILL)
    assert found[:, -1, -1].tolist() == list(FILL)
    assert found[:, S // 2, 1].tolist() == [40] * 3


def test_a_region_is_cut_out_and_what_lies_outside_a_polygon_is_filled() -> None:
    pixels = with_flaw(200, 100, 180, 50)
    assert preprocess(pixels, S, Framing("squash", LEFT)).max() < 60
    expected = preprocess(np.ascontiguousarray(pixels[:, :100]), S)
    assert torch.equal(preprocess(pixels, S, Framing("squash", LEFT)), expected)
    found = preprocess(pixels, S, Framing("squash", TRIANGLE))
    assert found[:, -1, -1].tolist() == list(FILL)
    assert found[:, 1, 1].tolist() == [40] * 3


@pytest.mark.parametrize("size", [(12, 100), (3, 3), (100, 7)])
def test_a_region_of_a_few_pixels_is_refused_with_its_size(size: tuple[int, int]) -> None:
    with pytest.raises(Unjudgeable, match=r"roi is \d+×\d+ of"):
        preprocess(np.zeros((size[1], size[0], 3), np.uint8), S, Framing("pad", LEFT))


@pytest.mark.parametrize(
    ("fit", "region", "size", "before", "expected"),
    [
        (None, None, (1024, 1024), None, Framing()),
        (None, None, (1300, 1000), None, Framing("squash")),
        (None, None, (1000, 1310), None, Framing("tiles")),
        (None, None, None, None, Framing("tiles")),
        (None, LEFT, (200, 100), None, Framing("crop", LEFT)),
        (None, LEFT, (100, 100), None, Framing("tiles", LEFT)),
        ("crop", None, (3000, 1000), Framing("pad"), Framing()),
        (None, None, (3000, 1000), Framing("pad"), Framing("pad")),
        (None, LEFT, (3000, 1000), Framing(), Framing("tiles", LEFT)),
    ],
)
def test_a_default_that_loses_neither_pixels_nor_resolution(
    fit: object, region: object, size: object, before: object, expected: Framing
) -> None:
    assert chosen(fit, region, size, before) == expected  # type: ignore[arg-type]


def test_what_a_crop_leaves_out() -> None:
    assert unseen(Framing(), 400, 100) == 0.75
    assert unseen(Framing("crop", LEFT), 400, 100) == 0.5
    assert unseen(Framing("squash"), 400, 100) == 0


def test_fingerprints_of_0_1_stay_and_every_framing_has_its_own() -> None:
    assert Framing().preprocessing(224) == {
        "resize_shorter_side": 224,
        "interpolation": "bicubic",
        "antialias": True,
        "centre_crop": 224,
        "longest_aspect": 4,
    }
    made = Fingerprint("r/1", Framing().preprocessing(224), {}, {}, 8)
    framings = [Framing(fit, region) for fit in FITS for region in (None, LEFT, TRIANGLE)]  # type: ignore[arg-type]
    assert len({made.framed(framing, 224).hex for framing in framings}) == len(framings)
    assert made.framed(Framing("crop", roi('{"x":0,"y":0,"width":1,"height":1}')), 224) == made
    json.dumps([framing.preprocessing(224) for framing in framings])


@pytest.mark.parametrize("recipe", ["clip-dino-l2/1", "patches/1"])
@pytest.mark.parametrize("region", [None, LEFT, TRIANGLE])
@pytest.mark.parametrize("fit", FITS)
def test_a_space_in_words_says_its_framing_and_its_recipe(
    fit: str, region: object, recipe: str
) -> None:
    framing = Framing(fit, region)  # type: ignore[arg-type]
    words = space_description("compact (16 + 24), torch bfloat16", recipe, framing)
    assert framing_of(words) == framing
    assert recipe_of(words) == recipe
    assert Framing.of(*framing.stored) == framing


def test_features_of_several_squares_are_pooled_as_patches_are() -> None:
    unit = torch.nn.functional.normalize
    rows = torch.rand(4, 6, generator=torch.Generator().manual_seed(3))
    found = pooled(rows, [1, 3], [Block(4), Block(2, largest=True)])
    assert torch.equal(found[0], rows[0])
    mean, most = unit(rows[1:, :4].mean(0), dim=0), unit(rows[1:, 4:].amax(0), dim=0)
    torch.testing.assert_close(found[1], unit(torch.cat([mean, most]), dim=0))
    assert torch.equal(pooled(rows, [1] * 4, [Block(6)]), rows)


def test_squares_of_pictures_that_have_one_or_several() -> None:
    one, three = torch.zeros(3, S, S), torch.ones(3, 3, S, S)
    batch, counts = squares([one, three])
    assert (batch.shape, counts) == ((4, 3, S, S), [1, 3])
    assert squares([one, one])[1] == [1, 1]
