"""What part of a picture is looked at, and how it is brought to the encoders' square.

Rules only, without pixels: `vision.preprocess` applies them. The ways, by a product file's `fit`:

- `crop`: the shorter side to the square's, then the centre: what lies beyond is not seen (as 0.1);
- `squash`: both sides to the square's: all is seen, the longer side with less resolution;
- `pad`: the longer side to the square's, the rest filled: all is seen, both sides with less;
- `tiles`: the shorter side to the square's, and overlapping squares along the longer one, whose
  features are pooled: all is seen with the crop's resolution, and each square costs a forward. A
  picture whose sides are within 1:1.3 is one square, squashed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from linewatch.product_options import Fit, Rectangle, Roi
from linewatch.products import ProductSpec

NEARLY_SQUARE = 1.3  # sides within 1 to this: to squash costs less than a second square would
MOST_TILES = 6  # of a picture; one that is longer than they reach is shortened to that
OVERLAP = 1 / 8  # of a square's side, at least, that neighbours share: two DINOv2 patches
FILL = (124, 116, 104)  # RGB: the encoders' mean, so nearly 0 once they have normalised it
LEAST_PIXELS = 8  # the side of a region of interest; of less nothing can be judged

LONGEST_ASPECT = 4  # of a crop: the ends that it drops anyway are cut off first, beyond this
_FIT, _ROI = ", fit ", ", roi "
_ANY = 224  # pixels: counts of squares hardly depend on their side
_WHOLE = Rectangle(x=0, y=0, width=1, height=1)
_ROI_TYPE: TypeAdapter[Roi] = TypeAdapter(Roi)


@dataclass(frozen=True, slots=True)
class Framing:
    """A fit and a region of interest; by default 0.1's, the centre crop of the whole picture.

    Attributes:
        fit: see the module.
        roi: a rectangle or a polygon's corners, in fractions of width and height; None: all of it.
            Of a polygon its bounding box is cut out, and what lies outside it is filled.
    """

    fit: Fit = "crop"
    roi: Roi | None = None

    def __post_init__(self) -> None:
        if self.roi == _WHOLE:
            object.__setattr__(self, "roi", None)

    def preprocessing(self, size: int) -> dict[str, object]:
        """What becomes of a picture, in words that go into the fingerprint.

        Args:
            size: the side of the square, in pixels.
        """
        common: dict[str, object] = {"interpolation": "bicubic", "antialias": True}
        if self.fit == "crop":
            common |= {
                "resize_shorter_side": size,
                "centre_crop": size,
                "longest_aspect": LONGEST_ASPECT,
            }
        else:
            common |= {"fit": self.fit, "size": size}
        if self.fit == "tiles":
            common |= {"squash_within": NEARLY_SQUARE, "most": MOST_TILES, "overlap": OVERLAP}
        if self.fit == "pad" or isinstance(self.roi, tuple):
            common["fill"] = FILL
        return common if self.roi is None else {**common, "roi": roi_json(self.roi)}

    @property
    def words(self) -> str:
        """What is said of it behind the encoders and the recipe; nothing of 0.1's."""
        fit = "" if self.fit == "crop" else f"{_FIT}{self.fit}"
        return fit if self.roi is None else f"{fit}{_ROI}{json.dumps(roi_json(self.roi))}"

    @classmethod
    def of(cls, fit: Fit | None, roi: Roi | None) -> Framing:
        """That of a model's manifest, where None stands for 0.1's."""
        return cls(fit or "crop", roi)

    @property
    def stored(self) -> tuple[Fit | None, Roi | None]:
        """Fit and roi as a manifest has them: nothing where they are 0.1's."""
        return (None if self == Framing() else self.fit), self.roi


CENTRE_CROP = Framing()  # that of 0.1, and of the encoders' own authors


def split_words(description: str) -> tuple[str, Framing]:
    """What was said before `Framing.words`, and the framing that they meant."""
    before, _, roi = description.partition(_ROI)
    before, _, fit = before.partition(_FIT)
    known = {"squash": "squash", "pad": "pad", "tiles": "tiles"}.get(fit, "crop")
    return before, Framing(known, _ROI_TYPE.validate_python(json.loads(roi)) if roi else None)  # type: ignore[arg-type]


def roi_json(roi: Roi) -> Any:
    """A region of interest as JSON has it: an object or a list of pairs."""
    return _ROI_TYPE.dump_python(roi, mode="json")


def chosen(
    fit: Fit | None, roi: Roi | None, size: tuple[int, int] | None, before: Framing | None = None
) -> Framing:
    """The framing of a product's new models: it loses neither pixels nor resolution unasked.

    A square picture is the same by every fit, so its features stay those of 0.1. One whose sides
    are within 1:1.3 is squashed: its longer side loses a quarter of its resolution at most, for
    half of what two tiles cost. All others are tiled, and so are pictures whose size nobody said.

    Args:
        fit: what the product's file says; None: nothing.
        roi: likewise.
        size: width and height of its pictures in pixels, if they are known.
        before: that of the product's champion. What a comparison found stays, for a product that
            does not say its fit.
    """
    if fit is not None:
        return Framing(fit, roi)
    if before is not None and before.fit != "crop":
        return Framing(before.fit, roi)
    if size is None:
        return Framing("tiles", roi)
    longer, shorter = _sides(size, roi)
    if longer == shorter:
        return Framing("crop", roi)
    return Framing("squash" if longer <= NEARLY_SQUARE * shorter else "tiles", roi)


def next_framing(spec: ProductSpec, before: Framing | None) -> Framing:
    """The framing of a product's next model, see `chosen`.

    Args:
        spec: the product.
        before: the framing of the model that serves it, if one does.
    """
    size = None if spec.image_size is None else (spec.image_size.width, spec.image_size.height)
    return chosen(spec.fit, spec.roi, size, before)


def box(roi: Roi | None, width: int, height: int) -> tuple[int, int, int, int]:
    """The pixels that a region of interest covers: left, top, right, bottom."""
    if roi is None:
        return 0, 0, width, height
    if isinstance(roi, Rectangle):
        left, top, right, bottom = roi.x, roi.y, roi.x + roi.width, roi.y + roi.height
    else:
        across, down = [x for x, _ in roi], [y for _, y in roi]
        left, top, right, bottom = min(across), min(down), max(across), max(down)
    # A fraction such as 0.29 of 100 pixels is 28.999…: its own pixel must not be lost to that.
    return (
        math.floor(left * width + 1e-6),
        math.floor(top * height + 1e-6),
        min(width, math.ceil(right * width - 1e-6)),
        min(height, math.ceil(bottom * height - 1e-6)),
    )


def long_side(longer: int, shorter: int, size: int) -> int:
    """To how many pixels `tiles` brings the longer side; the shorter one becomes `size`."""
    if longer <= NEARLY_SQUARE * shorter:
        return size
    reach = size + round((MOST_TILES - 1) * (1 - OVERLAP) * size)
    return min(reach, round(size * longer / shorter))


def tile_starts(length: int, size: int) -> list[int]:
    """Where squares of `size` begin along `length` pixels, evenly, both ends covered."""
    if length <= size:
        return [0]
    steps = math.ceil((length - size) / ((1 - OVERLAP) * size) - 1e-9)
    return [round(step * (length - size) / steps) for step in range(steps + 1)]


def tile_count(roi: Roi | None, width: int, height: int) -> int:
    """How many squares `tiles` makes of a picture."""
    longer, shorter = _sides((width, height), roi)
    return len(tile_starts(long_side(longer, max(1, shorter), _ANY), _ANY))


def unseen(framing: Framing, width: int, height: int) -> float:
    """The share of the region of interest that the encoders do not see, in [0, 1)."""
    if framing.fit != "crop":
        return 0.0
    longer, shorter = _sides((width, height), framing.roi)
    return 1 - shorter / longer if shorter else 0.0


def _sides(size: tuple[int, int], roi: Roi | None) -> Sequence[int]:
    left, top, right, bottom = box(roi, *size)
    return sorted((right - left, bottom - top), reverse=True)
