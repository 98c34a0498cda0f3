"""Light, lens blur, sensor and file format, anew at each visit, on the device."""

from __future__ import annotations

import math

import torch
from torch.nn import functional

_LUMA = (0.299, 0.587, 0.114)
_GREY, _STRONG, _BLURRED, _JPEG = 0.3, 0.6, 0.5, 0.3  # shares of the pictures
# The luminance table of the JPEG standard (ITU-T T.81, annex K.1).
_QUANTA = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)


class Sensor:
    """Photographs what a lens shows; every random number comes from `generator`.

    Args:
        generator: of the pictures' device.
    """

    def __init__(self, generator: torch.Generator) -> None:
        self._generator = generator

    def grey(self, coloured: torch.Tensor) -> torch.Tensor:
        """Which pictures are taken without colours, bool [n]; none of those that need theirs."""
        return (self._uniform(len(coloured), 0, 1).flatten() < _GREY) & ~coloured

    def take(self, seen: torch.Tensor, grey: torch.Tensor) -> torch.Tensor:
        """Photograph: float [n, 3, h, w] in 0..1 to uint8 of the same shape."""
        n = len(seen)
        image = seen * self._light(seen) * self._tint(n)
        luma = _luma(image)
        image = torch.where(grey[:, None, None, None], luma.expand_as(image), image)
        image = self._contrasted(image).clamp(0, 1) ** self._bell(n, 0, 0.2).exp()
        image = self._noisy(self._blurred(image), grey)
        image = self._compressed(image.clamp(0, 1))
        return (image.clamp(0, 1) * 255).round().to(torch.uint8)

    def _light(self, image: torch.Tensor) -> torch.Tensor:
        """A lamp from one side, darker corners, and one exposure: [n, 1, h, w]."""
        n, h, w = len(image), *image.shape[-2:]
        y = torch.linspace(-1, 1, h, device=image.device)[:, None]
        x = torch.linspace(-1, 1, w, device=image.device)[None]
        turn, tilt = self._uniform(n, 0, 2 * math.pi), self._uniform(n, 0, 0.35)
        corners = self._uniform(n, 0, 0.2)
        slope = tilt * (turn.cos() * x + turn.sin() * y)
        return self._uniform(n, 0.6, 1.3) * (1 + slope - corners * (x * x + y * y))

    def _tint(self, n: int) -> torch.Tensor:
        return 1 + 0.04 * self._normal((n, 3, 1, 1))

    def _contrasted(self, image: torch.Tensor) -> torch.Tensor:
        """Less or far more contrast, about the picture's own mean."""
        n = len(image)
        gain = self._uniform(n, math.log(0.5), math.log(2.5)).exp()
        gain = torch.where(self._uniform(n, 0, 1) < _STRONG, gain, 1)
        mean = image.mean((1, 2, 3), keepdim=True)
        return mean + gain * (image - mean)

    def _blurred(self, image: torch.Tensor) -> torch.Tensor:
        """Between sharp and two fixed blurs: a blur of each picture's own would cost far more."""
        n = len(image)
        much = self._uniform(n, 0, 2) * (self._uniform(n, 0, 1) < _BLURRED)
        mild = _gauss(image, 0.7)
        strong = _gauss(image, 1.5)
        return image.lerp(mild, much.clamp(max=1)).lerp(strong, (much - 1).clamp(min=0))

    def _noisy(self, image: torch.Tensor, grey: torch.Tensor) -> torch.Tensor:
        """Shot and read noise, in some pictures as correlated as a demosaicked sensor's."""
        n = len(image)
        white = self._normal(tuple(image.shape))
        white = torch.where(grey[:, None, None, None], white[:, :1].expand_as(white), white)
        soft = 1.8 * _gauss(white, 0.7)
        white = torch.where(self._uniform(n, 0, 1) < 0.5, soft, white)
        read, shot = self._uniform(n, 0.0, 0.03), self._uniform(n, 0, 0.03)
        return image + white * (read**2 + shot**2 * image.clamp(0, 1)).sqrt()

    def _compressed(self, image: torch.Tensor) -> torch.Tensor:
        """Some pictures' luminance through JPEG's quantisation, quality 40 to 95."""
        chosen = (self._uniform(len(image), 0, 1).flatten() < _JPEG).nonzero()[:, 0]
        quality = self._uniform(len(image), 40, 95)[chosen]
        part = image[chosen]
        luma = _luma(part)
        image[chosen] = part + _quantised(luma, quality) - luma
        return image

    def _uniform(self, n: int, low: float, high: float) -> torch.Tensor:
        device = self._generator.device
        draw = torch.rand((n, 1, 1, 1), generator=self._generator, device=device)
        return low + (high - low) * draw

    def _bell(self, n: int, mean: float, spread: float) -> torch.Tensor:
        return mean + spread * self._normal((n, 1, 1, 1))

    def _normal(self, shape: tuple[int, ...]) -> torch.Tensor:
        return torch.randn(shape, generator=self._generator, device=self._generator.device)


def _luma(image: torch.Tensor) -> torch.Tensor:
    weights = torch.tensor(_LUMA, device=image.device)[:, None, None]
    return (image * weights).sum(1, keepdim=True)


def _gauss(image: torch.Tensor, sigma: float) -> torch.Tensor:
    reach = math.ceil(2.5 * sigma)
    axis = torch.arange(-reach, reach + 1, device=image.device)
    kernel = torch.exp(-0.5 * (axis / sigma) ** 2)
    kernel = (kernel / kernel.sum()).repeat(3, 1, 1, 1)
    padded = functional.pad(image, (reach, reach, reach, reach), mode="reflect")
    across = functional.conv2d(padded, kernel, groups=3)
    return functional.conv2d(across, kernel.transpose(2, 3), groups=3)


def _quantised(luma: torch.Tensor, quality: torch.Tensor) -> torch.Tensor:
    """What JPEG leaves of luminance, [n, 1, h, w] with h and w multiples of 8."""
    k = torch.arange(8, device=luma.device)
    basis = 0.5 * torch.cos((2 * k[None] + 1) * k[:, None] * math.pi / 16)
    basis[0] /= math.sqrt(2)
    percent = torch.where(quality < 50, 5000 / quality, 200 - 2 * quality)[:, :, :, :, None, None]
    table = torch.tensor(_QUANTA, device=luma.device) * percent / (100 * 255)
    table = table.clamp(min=1 / 255)
    n, _, h, w = luma.shape
    blocks = (luma - 0.5).reshape(n, 1, h // 8, 8, w // 8, 8).permute(0, 1, 2, 4, 3, 5)
    found = basis @ blocks @ basis.T
    kept = (found / table).round() * table
    back = basis.T @ kept @ basis
    return back.permute(0, 1, 2, 4, 3, 5).reshape(n, 1, h, w) + 0.5
