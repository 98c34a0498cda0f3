"""Checks of how much of each product's pictures its model sees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from linewatch.doctor.findings import Finding, State
from linewatch.products import ProductSpec
from linewatch.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from vision.framing import Framing

Size = tuple[int, int]  # width and height in pixels

_LOOKED_AT = 3  # pictures of a product that does not say their size, the newest
_LITTLE = 0.01  # of a picture


def framing(settings: Settings) -> Iterator[Finding]:
    """Whether pixels are cropped away, a lot is squashed, or a region has hardly any pixels."""
    from db import products
    from db.session import engine_for
    from training.spaces.framing import champion_framing
    from vision.framing import next_framing

    engine = engine_for(settings.sql_url)
    found = 0
    for code, spec in sorted(products.all_products(engine).items()):
        champion = champion_framing(engine, code)
        following = next_framing(spec, champion)
        for size in _sizes(engine, settings, spec):
            words = complaint(champion or following, following, size)
            if words is not None:
                found += 1
                yield Finding("pictures", State.WARN, f"{code}: {words}")
                break
    if not found:
        yield Finding("pictures", State.OK, "seen whole, as far as their sizes are known")


def complaint(now: Framing, following: Framing, size: Size) -> str | None:
    """What is wrong with how pictures of one size are seen; None for nothing.

    Args:
        now: how the product's model sees them.
        following: how its next model will.
        size: theirs.
    """
    from vision.framing import LEAST_PIXELS, NEARLY_SQUARE, box, unseen

    left, top, right, bottom = box(following.roi, *size)
    width, height = right - left, bottom - top
    of = f"{size[0]}×{size[1]} pixels"
    if min(width, height) < LEAST_PIXELS:
        return (
            f"its roi is {width}×{height} of {of}, so every picture is rejected as wrong_size; "
            "mend the product's file and register it again"
        )
    lost = unseen(now, *size)
    if lost >= _LITTLE:
        remedy = f"`linewatch train` makes a model that sees all, by fit {following.fit}"
        if following.fit == "crop":
            remedy = "take `fit: crop` out of its file, or say `fit: tiles`, and train again"
        return (
            f"its model does not see {lost:.0%} of what a picture of {of} shows, since it crops "
            f"the centre; {remedy}"
        )
    longer, shorter = max(width, height), min(width, height)
    if following.fit in ("squash", "pad") and longer > NEARLY_SQUARE * shorter:
        return (
            f"the sides of what is seen, {width}×{height} of {of}, differ by 1:"
            f"{longer / shorter:.1f}, and fit {following.fit} costs as much resolution; "
            "`linewatch train PRODUCT --fit auto` says what tiles would give"
        )
    return None


def _sizes(engine: Engine, settings: Settings, spec: ProductSpec) -> Iterator[Size]:
    """The size that the product's file says, or those of its newest pictures that can be read."""
    from db.models.precision_checks import newest_uris
    from vision.decode import read_header
    from vision.errors import Unjudgeable
    from vision.pictures import Pictures

    if spec.image_size is not None:
        yield spec.image_size.width, spec.image_size.height
        return
    pictures = Pictures.from_settings(settings)
    for uri in newest_uris(engine, _LOOKED_AT, spec.product):
        try:
            data = pictures.read(uri).data
            header = read_header(data, max_pixels=settings.max_image_pixels)
        except Unjudgeable:
            continue
        yield header.width, header.height
