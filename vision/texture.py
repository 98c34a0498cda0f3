"""What a surface is like, in numbers that no network has to learn: signs, contrasts, repetition.

Statistics of the grey values as a picture is brought to the encoders' square, over the whole of it:

- *sign patterns*: rotation-invariant uniform local binary patterns of eight neighbours at three
  scales (Ojala, Pietikäinen and Mäenpää, "Multiresolution gray-scale and rotation invariant texture
  classification with local binary patterns", 2002);
- *differences of Gaussians* at five scales of a pyramid (Burt and Adelson, "The Laplacian pyramid
  as a compact image code", 1983): how strong, how far from even, what stands out;
- *co-occurrence* of eight grey levels at two distances, at a quarter of the size (Haralick,
  Shanmugam and Dinstein, "Textural features for image classification", 1973), counted by products
  of one-hot maps, since nothing else is fast in every backend;
- the direction of what lies in it, by the structure tensor, and lightness and colour.

Only tensor operations are used and every side is a constant, so that backends can trace them; grey
is a whole number until signs are taken, so that none of them hangs on a backend's rounding.
"""

from __future__ import annotations

import torch
from torch.nn import functional

SIDE = 224  # pixels: the side of the picture that is looked at
WIDTH = 142  # columns

_WHITE = 1020.0  # red + 2 green + blue
_SIGN_SCALES = 3
_BANDS = 5
_LEVELS = 8
_DISTANCES = (1, 3)  # pixels
_QUANTILES = (0.01, 0.05, 0.25, 0.75, 0.95, 0.99)
_GRID = 28  # a side: quantiles are taken of so many values along each side
_CELLS = 7  # a side, for how unevenly a band's strength is spread
_TINY = 1e-3  # a quarter of a grey level: what is less is rounding


def texture(images: torch.Tensor) -> torch.Tensor:
    """A picture's texture.

    Args:
        images: uint8 or float [n, 3, 224, 224], values 0 to 255.

    Returns:
        float32 [n, WIDTH], finite for every picture; most numbers lie between −1 and 1.
    """
    pixels = images.float()
    red, green, blue = pixels[:, 0:1], pixels[:, 1:2], pixels[:, 2:3]
    whole = red + 2 * green + blue  # exact: no backend's rounding turns a sign
    grey = whole / _WHITE
    bands, levels = _pyramid(grey)
    blocks = [
        _signs(whole),
        *(_band_statistics(band, SIDE >> scale) for scale, band in enumerate(bands)),
        _co_occurrence(levels[2], SIDE >> 2),
        *(_directions(level) for level in levels[1:4]),
        _colours(grey, red - green, green - blue),
    ]
    return torch.cat(blocks, dim=1)


def _signs(whole: torch.Tensor) -> torch.Tensor:
    """Square roots of the patterns' shares at each scale, [n, 30]; of a scale their length is 1."""
    shares = []
    for scale in range(_SIGN_SCALES):
        side = 2**scale
        grey = whole if scale == 0 else functional.avg_pool2d(whole, side) * side**2
        shares.append(_patterns(grey, SIDE // side, step=2 if scale < 2 else 1))
    return torch.cat(shares, dim=1).sqrt()


def _patterns(grey: torch.Tensor, side: int, step: int) -> torch.Tensor:
    """Shares of the ten patterns, [n, 10], round every `step`-th pixel.

    They are: of the eight neighbours 0, 1, … 8 are as light as the centre and lie in one run; the
    last share is of those in no single run.
    """

    def shifted(y: int, x: int) -> torch.Tensor:
        return grey[..., y : y + side - 2 : step, x : x + side - 2 : step]

    centre = shifted(1, 1)
    ring = [(0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0)]
    signs = [(shifted(y, x) >= centre).float() for y, x in ring]
    lighter = sum(signs[1:], signs[0])
    turns = sum(((signs[i] - signs[i - 1]).abs() for i in range(1, 8)), (signs[0] - signs[7]).abs())
    code = torch.where(turns < 2.5, lighter, torch.full_like(lighter, 9.0)).flatten(1)
    return torch.stack([(code == kind).float().mean(dim=1) for kind in range(10)], dim=1)


def _pyramid(grey: torch.Tensor) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Differences of Gaussians, and the ever smaller pictures that they were taken from."""
    bands, levels = [], [grey]
    for scale in range(_BANDS):
        here, side = levels[-1], SIDE >> scale
        smooth = _smoothed(_smoothed(here, side, -1), side, -2)
        bands.append(here - smooth)
        levels.append(smooth[..., ::2, ::2])
    return bands, levels


def _smoothed(plane: torch.Tensor, side: int, dim: int) -> torch.Tensor:
    """Along one side by 1, 4, 6, 4, 1; the outermost pixel stands in for those beyond it.

    Sums of slices: convolutions of a single channel take ten times as long.
    """
    first, last = plane.narrow(dim, 0, 1), plane.narrow(dim, side - 1, 1)
    wide = torch.cat([first, first, plane, last, last], dim)
    near = wide.narrow(dim, 1, side) + wide.narrow(dim, 3, side)
    far = wide.narrow(dim, 0, side) + wide.narrow(dim, 4, side)
    return plane * 0.375 + near * 0.25 + far * 0.0625


def _band_statistics(band: torch.Tensor, side: int) -> torch.Tensor:
    """[n, 13]: logarithms of strength and of extremes, quantiles as multiples of the deviation."""
    flat, size = band.flatten(1), band.abs()
    strength = size.flatten(1).mean(dim=1, keepdim=True) + _TINY
    deviation = _deviation(flat)
    high, low = flat.amax(dim=1, keepdim=True), flat.amin(dim=1, keepdim=True)
    cells = functional.avg_pool2d(size, max(1, side // _CELLS)).flatten(1) + _TINY
    return torch.cat(
        [
            _log(strength),
            _log(deviation),
            _log(high),
            _log(-low),
            (cells.amax(dim=1, keepdim=True) / strength).log() / 2,
            (cells.amin(dim=1, keepdim=True) / strength).log() / 2,
            _deviation(cells) / strength / 2,
            _quantiles(band, side) / deviation / 3,
        ],
        dim=1,
    )


def _deviation(flat: torch.Tensor) -> torch.Tensor:
    """Of each row, never 0; [n, 1]."""
    mean = flat.mean(dim=1, keepdim=True)
    apart = flat - mean
    return (apart * apart).mean(dim=1, keepdim=True).sqrt() + _TINY


def _quantiles(plane: torch.Tensor, side: int) -> torch.Tensor:
    """Of a grid of its values, by sorting; [n, 6]."""
    step = max(1, side // _GRID)
    ordered = plane[..., ::step, ::step].flatten(1).sort(dim=1).values
    last = len(range(0, side, step)) ** 2 - 1
    places = [round(share * last) for share in _QUANTILES]
    return torch.cat([ordered[:, place : place + 1] for place in places], dim=1)


def _co_occurrence(grey: torch.Tensor, side: int) -> torch.Tensor:
    """Five of Haralick's numbers at two distances, [n, 20]: mean and range over directions."""
    flat = grey.flatten(1)
    apart = (flat - flat.mean(dim=1, keepdim=True)) / _deviation(flat)
    # Levels are half a deviation wide; the odd phase keeps an even surface off their borders.
    level = (apart * 2 + _LEVELS / 2 + 0.37).floor().clamp(0, _LEVELS - 1)
    steps = torch.arange(_LEVELS, dtype=torch.float32, device=grey.device)
    same = level[:, None] == steps[None, :, None]
    maps = same.float().unflatten(2, (side, side))  # type: ignore[no-untyped-call]
    found = []
    for distance in _DISTANCES:
        turned = [(0, distance), (distance, distance), (distance, 0), (distance, -distance)]
        rows = torch.stack([_haralick(_pairs(maps, side, *pair), steps) for pair in turned])
        found += [rows.mean(dim=0), rows.amax(dim=0) - rows.amin(dim=0)]
    return torch.cat(found, dim=1)


def _pairs(maps: torch.Tensor, side: int, down: int, right: int) -> torch.Tensor:
    """How often each level lies beside each other one, symmetric shares [n, 8, 8].

    Args:
        maps: one-hot, [n, 8, side, side].
        side: in pixels.
        down, right: where the neighbour is, in pixels.
    """
    height, width = side - down, side - abs(right)
    left = max(0, -right)
    beside = left + right
    here = maps[..., :height, left : left + width].flatten(2)
    there = maps[..., down : down + height, beside : beside + width].flatten(2)
    counts = here @ there.transpose(1, 2) / (height * width)
    return (counts + counts.transpose(1, 2)) / 2


def _haralick(shares: torch.Tensor, steps: torch.Tensor) -> torch.Tensor:
    apart = (steps[:, None] - steps[None, :]).abs()
    contrast = (shares * apart**2).sum(dim=(1, 2))
    likeness = (shares / (1 + apart)).sum(dim=(1, 2))
    energy = (shares**2).sum(dim=(1, 2)).sqrt()
    entropy = -(shares * (shares + 1e-6).log()).sum(dim=(1, 2))
    edge, middle = shares.sum(dim=2), steps - (_LEVELS - 1) / 2  # small numbers round less
    mean = (edge * middle).sum(dim=1)
    variance = (edge * middle**2).sum(dim=1) - mean**2
    joint = (shares * middle[:, None] * middle[None, :]).sum(dim=(1, 2)) - mean**2
    correlation = joint / (variance + 0.01)
    return torch.stack(
        [(contrast + 0.01).log() / 4, likeness, energy, entropy / 4, correlation], dim=1
    )


def _directions(grey: torch.Tensor) -> torch.Tensor:
    """[n, 5]: which direction prevails, how far, and how uneven rows and columns are."""
    grey = grey - grey[..., :1, :1]  # nothing is left of an even picture, not even rounding
    across = (grey[..., 1:-1, 2:] - grey[..., 1:-1, :-2]).flatten(1)
    down = (grey[..., 2:, 1:-1] - grey[..., :-2, 1:-1]).flatten(1)
    xx, yy = ((d * d).mean(dim=1, keepdim=True) for d in (across, down))
    total = xx + yy + _TINY**2
    along = (xx - yy) / total
    slanting = 2 * (across * down).mean(dim=1, keepdim=True) / total
    prevails = (along**2 + slanting**2 + _TINY**2).sqrt()
    deviation = _deviation(grey.flatten(1))
    rows, columns = (_deviation(grey.mean(dim=d).flatten(1)) / deviation for d in (3, 2))
    return torch.cat([along, slanting, prevails, rows, columns], dim=1)


def _colours(grey: torch.Tensor, red: torch.Tensor, blue: torch.Tensor) -> torch.Tensor:
    """[n, 12]: lightness and its quantiles, two differences of colour."""
    found = []
    for plane in (grey, red / 255, blue / 255):
        flat = plane[..., ::2, ::2].flatten(1)
        found += [flat.mean(dim=1, keepdim=True), _deviation(flat)]
    return torch.cat([*found, _quantiles(grey, SIDE)], dim=1)


def _log(values: torch.Tensor) -> torch.Tensor:
    """Of shares of white: a doubling counts the same everywhere; 0.01 to 1 gives −0.6 to 0."""
    return (values.clamp(min=0) + _TINY).log() / 7
