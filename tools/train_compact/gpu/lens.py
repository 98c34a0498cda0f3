"""Where the camera stands: turn, distance, crop and mirror, anew at each visit, on the device.

A warp is float [n, 2, 3], in the coordinates of `affine_grid`: both axes run from -1 to 1 over the
picture, and it says for a point of what is seen where it lies in the scene.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch.nn import functional

from tools.train_compact.families.picture import CELLS, DRAWN, SIZE
from tools.train_compact.gpu.scenes import GROUPS

_KEPT = 0.5  # of the harmed cells: where fewer would be seen, the whole scene is
_SEEN = 0.3  # of a cell that is harmed
_STRETCH = 0.04  # standard deviation of the log of width over height


@dataclass(frozen=True, slots=True)
class Freedom:
    """How a group may be seen: `nearest` 2 shows half of its width, `farthest` 1 all of it."""

    farthest: float
    nearest: float
    turn_deg: float  # standard deviation
    quarters: bool = False  # turned by any quarter too
    mirrored: bool = True


# A mirror would swap the conductors of the standard cable, and make a mark unreadable. A kind of
# ground is known by its wavelengths, so it is seen at nearly one distance: a pixel for a pixel.
_FREEDOM: Mapping[str, Freedom] = {
    "standard cable": Freedom(0.9, 1.25, 5, mirrored=False),
    "cable": Freedom(0.8, 1.6, 10),
    "ground": Freedom(0.93 * DRAWN / SIZE, 1.08 * DRAWN / SIZE, 90, quarters=True),
    "texture": Freedom(0.9, 2.2, 15, quarters=True),
    "ring": Freedom(0.75, 1.9, 15, quarters=True),
    "mark": Freedom(0.75, 1.7, 6, mirrored=False),
    "connector": Freedom(0.75, 1.9, 10, quarters=True),
}


class Lens:
    """Looks at scenes.

    Args:
        device: where they lie.
    """

    def __init__(self, device: str) -> None:
        rows = [_FREEDOM[name] for name in GROUPS]
        self._limits = torch.tensor(
            [[math.log(f.farthest), math.log(f.nearest), math.radians(f.turn_deg)] for f in rows]
        ).to(device)
        self._may = torch.tensor([[f.quarters, f.mirrored] for f in rows]).to(device)

    def warps(
        self, groups: torch.Tensor, harmed: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        """A random warp for each scene, which keeps in sight where it is harmed.

        Args:
            groups: int64 [n], indices into `GROUPS`.
            harmed: bool [n, 56, 56].
            generator: of the device.
        """
        n, device = len(groups), groups.device
        draw = torch.rand((n, 7), generator=generator, device=device)
        bell = torch.randn((n, 2), generator=generator, device=device)
        far, near, spread = self._limits[groups].unbind(1)
        quarters, mirrored = self._may[groups].unbind(1)
        zoom = torch.exp(far + (near - far) * draw[:, 0])
        turn = spread * bell[:, 0] + (draw[:, 1] * 4).floor() * (math.pi / 2) * quarters
        stretch = torch.exp(_STRETCH * bell[:, 1])
        flip = 1 - 2.0 * ((draw[:, 2] < 0.5) & mirrored)
        cos, sin = turn.cos() / zoom, turn.sin() / zoom
        matrix = torch.stack([cos * stretch * flip, -sin, sin * stretch * flip, cos], 1)
        room = (1 - 1 / zoom).clamp(min=0) + 0.05
        hit = harmed.flatten(1).any(1)
        aim = torch.where(hit[:, None], _centre(harmed), 0)
        loose = torch.where(hit, 0.5 / zoom, room)[:, None]
        shift = (aim + loose * (2 * draw[:, 3:5] - 1)).clamp(-room[:, None], room[:, None])
        warp = torch.cat([matrix.unflatten(1, (2, 2)), shift[..., None]], 2)
        was = harmed.float().sum((1, 2)) * zoom**2
        kept = cells(harmed, warp).float().sum((1, 2)) >= _KEPT * was
        whole = torch.eye(2, 3, device=device).expand_as(warp)
        return torch.where((kept | ~hit)[:, None, None], warp, whole)


def look(scenes: torch.Tensor, warp: torch.Tensor) -> torch.Tensor:
    """What is seen: float [n, 3, 224, 224] in 0..1, of scenes uint8 [n, 3, s, s].

    Between the scene and a copy of half its size, as the distance asks (a mip map), since a
    sample of four pixels alone would let fine patterns alias.
    """
    full = scenes.float() / 255
    grid = functional.affine_grid(warp, [len(warp), 3, SIZE, SIZE], align_corners=False)
    near = functional.grid_sample(full, grid, padding_mode="reflection", align_corners=False)
    half = functional.avg_pool2d(full, 2)
    far = functional.grid_sample(half, grid, padding_mode="reflection", align_corners=False)
    zoom = torch.linalg.det(warp[:, :, :2]).abs().rsqrt()
    level = torch.log2(scenes.shape[-1] / SIZE / zoom).clamp(0, 1)[:, None, None, None]
    return near.lerp(far, level)


def cells(harmed: torch.Tensor, warp: torch.Tensor) -> torch.Tensor:
    """Where what is seen is harmed, bool [n, 56, 56]."""
    grid = functional.affine_grid(warp, [len(warp), 1, CELLS, CELLS], align_corners=False)
    seen = functional.grid_sample(
        harmed[:, None].float(), grid, padding_mode="reflection", align_corners=False
    )
    return seen[:, 0] > _SEEN


def _centre(harmed: torch.Tensor) -> torch.Tensor:
    """The middle of the harmed cells, x and y, float [n, 2]; NaN where there is none."""
    axis = (torch.arange(CELLS, device=harmed.device) + 0.5) * 2 / CELLS - 1
    share = harmed.float()
    total = share.sum((1, 2))
    x = (share.sum(1) * axis).sum(1) / total
    y = (share.sum(2) * axis).sum(1) / total
    return torch.stack([x, y], 1)
