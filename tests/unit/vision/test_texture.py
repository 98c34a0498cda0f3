"""Texture numbers: what they tell apart, what does not change them, and that they are finite."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vision.parts import Part, columns, parse_part, resized
from vision.texture import SIDE, WIDTH, texture

NAMES = {"clip.max[-3]", "dino.mean@448", "dino.max@518", "clip.std[-2]@tiles", "pixels.texture"}


def picture(seed: int, *, across: int = 1) -> torch.Tensor:
    """Noise, smeared along rows by `across` pixels."""
    noise = np.random.default_rng(seed).normal(size=(SIDE, SIDE + across - 1))
    rows = np.lib.stride_tricks.sliding_window_view(noise, across, axis=1).mean(axis=2)
    grey = np.clip(128 + 40 * rows / rows.std(), 0, 255).astype(np.uint8)
    return torch.from_numpy(np.stack([grey] * 3))[None]


def test_every_picture_has_finite_numbers() -> None:
    flat = [torch.full((1, 3, SIDE, SIDE), level, dtype=torch.uint8) for level in (0, 77, 255)]
    found = texture(torch.cat([*flat, picture(1), picture(2, across=9)]))
    assert found.shape == (5, WIDTH)
    assert found.isfinite().all()
    assert found.abs().max() < 5


def test_a_picture_is_described_alone() -> None:
    both = torch.cat([picture(1), picture(2, across=5)])
    torch.testing.assert_close(texture(both)[1:], texture(both[1:]), atol=1e-5, rtol=0)


def test_other_noise_of_the_same_kind_is_nearer_than_another_kind() -> None:
    one, same, other = (texture(p) for p in (picture(1), picture(2), picture(3, across=9)))
    assert (one - same).norm() < 0.4 * (one - other).norm()


def test_sign_patterns_know_no_direction_and_no_lamp() -> None:
    """Of 30 columns; what knows a direction are the structure tensor's two."""
    one = picture(4, across=7)
    turned, brighter = one.rot90(1, (2, 3)), (one // 2) * 2 // 2 + 100
    signs = texture(one)[:, :30]
    torch.testing.assert_close(texture(turned)[:, :30], signs, atol=0.05, rtol=0)
    torch.testing.assert_close(texture(brighter)[:, :30], texture(one // 2 * 2 // 2)[:, :30])
    assert (texture(turned) - texture(one)).abs().max() > 0.5


def test_a_small_spot_stands_out() -> None:
    clean = torch.full((1, 3, SIDE, SIDE), 128, dtype=torch.uint8)
    spotted = clean.clone()
    spotted[..., 100:104, 60:64] = 20
    assert (texture(spotted) - texture(clean)).abs().max() > 0.3


def test_the_shares_of_signs_are_whole() -> None:
    squares = texture(picture(5))[0, :30].square().unflatten(0, (3, 10)).sum(dim=1)
    torch.testing.assert_close(squares, torch.ones(3), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_parts_are_named(name: str) -> None:
    assert str(parse_part(name)) == name


@pytest.mark.parametrize(
    "name",
    ["pixels.mean", "clip.texture", "pixels.texture@fine", "pixels.texture[-2]", "clip.mean@518"],
)
def test_what_does_not_go_together_is_no_part(name: str) -> None:
    with pytest.raises(ValueError, match="is no part"):
        parse_part(name)


def test_a_larger_picture_is_brought_to_size_as_adaptive_pooling_does() -> None:
    large = torch.randint(0, 256, (1, 3, 518, 518), dtype=torch.uint8)
    wanted = torch.nn.functional.adaptive_avg_pool2d(large.float(), SIDE)
    torch.testing.assert_close(resized(large, SIDE), wanted, atol=1e-3, rtol=0)


def test_texture_needs_no_network() -> None:
    part, images = Part("pixels", "texture"), picture(6)
    assert torch.equal(columns(None, images, [part])[part], texture(images))  # type: ignore[arg-type]
