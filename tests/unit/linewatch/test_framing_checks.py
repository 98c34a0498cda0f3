"""What doctor says of how much of a product's pictures is seen."""

from __future__ import annotations

import re

import pytest

from linewatch.doctor.framing_checks import complaint
from linewatch.product_options import Rectangle
from vision.framing import CENTRE_CROP, Framing

SLIVER = Rectangle(x=0, y=0, width=0.004, height=1)
TILES = Framing("tiles")


@pytest.mark.parametrize(
    ("now", "following", "size", "words"),
    [
        (CENTRE_CROP, CENTRE_CROP, (1024, 1024), None),
        (CENTRE_CROP, TILES, (1000, 500), "does not see 50% .* by fit tiles"),
        (CENTRE_CROP, CENTRE_CROP, (1000, 500), "does not see 50% .* take `fit: crop` out"),
        (CENTRE_CROP, Framing("squash"), (1100, 1000), "does not see 9% .* by fit squash"),
        (CENTRE_CROP, CENTRE_CROP, (1004, 1000), None),
        (TILES, TILES, (4000, 500), None),
        (Framing("squash"), Framing("squash"), (1300, 1000), None),
        (Framing("squash"), Framing("squash"), (1000, 1400), "differ by 1:1.4, and fit squash"),
        (Framing("pad"), Framing("pad"), (3000, 1000), "differ by 1:3.0, and fit pad"),
        (TILES, Framing("tiles", SLIVER), (1000, 1000), "roi is 4×1000 .* wrong_size"),
    ],
)
def test_what_is_cut_or_squashed_is_named(
    now: Framing, following: Framing, size: tuple[int, int], words: str | None
) -> None:
    found = complaint(now, following, size)
    if words is None:
        assert found is None
    else:
        assert re.search(words, found or "")
