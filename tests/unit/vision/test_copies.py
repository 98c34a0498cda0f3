"""Copies of a picture under a product's symmetry."""

from __future__ import annotations

import pytest
import torch

from vision.copies import copies_of
from vision.copy_names import copy_names

PICTURE = torch.arange(3 * 4 * 4, dtype=torch.uint8).reshape(3, 4, 4)


@pytest.mark.parametrize(
    ("symmetry", "count"),
    [
        ((), 0),
        (("flip",), 1),
        (("rotate90",), 3),
        (("brightness",), 2),
        (("rotate90", "flip"), 7),
        (("flip", "rotate90", "brightness"), 9),
    ],
)
def test_a_symmetry_gives_so_many_copies_and_none_twice(
    symmetry: tuple[str, ...], count: int
) -> None:
    names = copy_names(symmetry)
    made = copies_of(PICTURE, names)
    assert len(names) == len(made) == count
    looks = {bytes(copy.numpy().tobytes()) for copy in made.values()}
    assert len(looks | {PICTURE.numpy().tobytes()}) == count + 1
    assert all(copy.shape == PICTURE.shape and copy.is_contiguous() for copy in made.values())
    assert all(copy.dtype == torch.uint8 for copy in made.values())


def test_the_names_say_what_is_done() -> None:
    made = copies_of(PICTURE, copy_names(("flip", "rotate90", "brightness")))
    assert torch.equal(made["mirrored"], PICTURE.flip(2))
    assert torch.equal(made["turned 90"], torch.rot90(PICTURE, 1, (1, 2)))
    assert torch.equal(made["mirrored, turned 180"], PICTURE.flip(1))
    assert made["darker"].max() == 38
    assert made["brighter"].max() == 59
    assert copies_of(torch.full((3, 2, 2), 250, dtype=torch.uint8), ["brighter"])[
        "brighter"
    ].unique().tolist() == [255]


def test_each_tile_of_a_picture_is_changed_alike() -> None:
    tiles = torch.stack([PICTURE, PICTURE + 1])
    assert torch.equal(copies_of(tiles, ["mirrored"])["mirrored"][1], (PICTURE + 1).flip(2))


@pytest.mark.parametrize("name", ["upside down", "turned 45", "turned 90, mirrored"])
def test_another_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="there is no copy"):
        copies_of(PICTURE, [name])


def test_only_squares_have_copies() -> None:
    with pytest.raises(ValueError, match="squares"):
        copies_of(PICTURE[:, :2], ["mirrored"])
