"""Procedural surfaces of hundreds of kinds, each a set of parameters, with flaws pasted on them.

A kind is no material that anybody named: it is two patterns with their wavelengths, stretch,
regularity and contrast, drawn at random from the kind's number. Pictures of one kind share these
and nothing else; colour, brightness and every single grain are a picture's own. A network that
tells kinds apart has to measure a surface's pattern. No photograph was looked at to design them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.train_compact.families import texture
from tools.train_compact.families.picture import (
    COLOURS,
    DRAWN,
    METALS,
    Camera,
    Picture,
    differing,
    mask,
    noise,
    severity_name,
    tint,
)

KINDS = 400
_SALT = 20_261  # kinds have random streams of their own: the same in every run
_GOOD = 0.4  # the share of pictures without a flaw
Field = NDArray[np.float32]  # [DRAWN, DRAWN]


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern of a kind.

    Attributes:
        name: a key of `_PATTERNS`.
        wavelength: pixels of a picture that is `DRAWN` wide.
        along: how much longer than wide its shapes are.
        order: 0 irregular to 1 regular.
        fill: the share that its shapes cover, 0 to 1.
    """

    name: str
    wavelength: float
    along: float
    order: float
    fill: float


@dataclass(frozen=True, slots=True)
class Kind:
    """What all pictures of a kind share: `weight` is the first pattern's, 0.5 to 1."""

    patterns: tuple[Pattern, Pattern]
    weight: float
    contrast: float


@lru_cache(maxsize=KINDS)
def kind(number: int) -> Kind:
    """The parameters of kind `number`, which decides them alone."""
    rng = np.random.default_rng([_SALT, number])
    first, second = (_pattern(rng) for _ in range(2))
    return Kind((first, second), float(rng.uniform(0.5, 1)), float(rng.uniform(0.06, 0.3)))


def draw(
    rng: np.random.Generator, number: int, camera: Camera, defect: str | None = None
) -> Picture:
    """Draw a picture of kind `number`, good or with one of the flaws of `texture`."""
    if defect is None:
        flawed = rng.random() >= _GOOD
        defect = str(rng.choice(texture.DEFECTS[1:])) if flawed else "good"
    metal = rng.random() < 0.6
    material = str(rng.choice(list(METALS))) if metal else "painted"
    colour = tint(rng, METALS[material] if metal else COLOURS[str(rng.choice(list(COLOURS)))])
    shade = 1 + _near(rng, kind(number).contrast, 0.15) * field(rng, kind(number))
    image = np.asarray(np.clip(colour * shade[..., None], 0, 1), np.float32)
    flawless, strength = image.copy(), float(rng.uniform(0.15, 1))
    facts = {"family": "texture", "defect": defect, "material": material}
    if defect != "good":
        texture.flaw(image, rng, defect, strength, rng.uniform(0.15, 0.85, 2) * DRAWN)
        facts["severity"] = severity_name(strength)
    return Picture(camera(rng, image), differing(image, flawless, 0.02), facts)


def field(rng: np.random.Generator, of: Kind) -> Field:
    """A surface of this kind: its shade, of mean 0 and deviation 1."""
    first, second = (_PATTERNS[p.name](rng, p, _near(rng, p.wavelength, 0.04)) for p in of.patterns)
    return _standard(of.weight * _standard(first) + (1 - of.weight) * _standard(second))


def _pattern(rng: np.random.Generator) -> Pattern:
    return Pattern(
        name=str(rng.choice(list(_PATTERNS))),
        wavelength=float(np.exp(rng.uniform(np.log(4), np.log(45)))),
        along=float(np.exp(rng.uniform(0, np.log(6)))),
        order=float(rng.uniform(0, 1)),
        fill=float(rng.uniform(0.1, 0.8)),
    )


def _near(rng: np.random.Generator, value: float, spread: float) -> float:
    return float(value * np.exp(rng.normal(0, spread)))


def _standard(values: Field) -> Field:
    return np.asarray((values - values.mean()) / (values.std() + 1e-6), np.float32)


def _grain(rng: np.random.Generator, of: Pattern, wavelength: float) -> Field:
    return noise(rng, wavelength / 4, along=of.along)


def _islands(rng: np.random.Generator, of: Pattern, wavelength: float) -> Field:
    """Grain with a border: patches that cover `fill` of the surface."""
    grain = noise(rng, wavelength / 4, along=of.along)
    level = float(np.quantile(grain[::4, ::4], 1 - of.fill))
    return np.asarray(np.tanh((grain - level) * (1 + 9 * of.order)), np.float32)


def _creases(rng: np.random.Generator, of: Pattern, wavelength: float) -> Field:
    """Narrow ridges where a grain changes its sign."""
    grain = np.abs(noise(rng, wavelength / 3, along=of.along))
    return np.asarray(np.exp(-grain * (2 + 8 * (1 - of.fill))), np.float32)


def _stripes(rng: np.random.Generator, of: Pattern, wavelength: float) -> Field:
    _, y = _axes()
    bent = (1 - of.order) * 2.5 * noise(rng, 2 * wavelength, along=of.along)
    wave = np.sin(2 * np.pi * y / wavelength + bent + rng.uniform(0, 6.3))
    return np.asarray(np.tanh((wave + 2 * of.fill - 1) * 3), np.float32)


def _weave(rng: np.random.Generator, of: Pattern, wavelength: float) -> Field:
    """Threads that go over and under each other."""
    x, y = _axes()
    bent = (1 - of.order) * noise(rng, 2 * wavelength)
    across = 2 * np.pi * x / (wavelength * min(of.along, 3)) + bent
    down = 2 * np.pi * y / wavelength + bent + rng.uniform(0, 6.3)
    over = np.sin(across / 2) * np.sin(down / 2) > 0
    return np.asarray(np.where(over, np.abs(np.sin(across / 2)), np.abs(np.sin(down / 2))))


def _dots(rng: np.random.Generator, of: Pattern, wavelength: float) -> Field:
    """Bumps on a grid, more or less out of place."""
    away = _away(rng, of, wavelength)
    return np.asarray(np.exp(-((away / (wavelength * (0.1 + 0.3 * of.fill))) ** 2)), np.float32)


def _cells(rng: np.random.Generator, of: Pattern, wavelength: float) -> Field:
    """Domes that meet in seams."""
    away = _away(rng, of, wavelength)
    return np.asarray(np.minimum(away / wavelength, 0.3 + of.fill), np.float32)


def _strokes(rng: np.random.Generator, of: Pattern, wavelength: float) -> Field:
    """Short strokes, their headings more or less alike."""
    where = mask()
    count = int(of.fill * (DRAWN / wavelength) ** 2) + 4
    centres = rng.uniform(0, DRAWN, (count, 2))
    turns = rng.normal(0, 0.05 + 1.2 * (1 - of.order), count)
    reach = 0.5 * wavelength * of.along * np.stack([np.cos(turns), np.sin(turns)], 1)
    thick = max(1, round(wavelength / 10))
    ends = np.rint(np.stack([centres - reach, centres + reach], 1)).astype(np.int32)
    cv2.polylines(where, list(ends), False, 255, thick, cv2.LINE_AA)
    return where.astype(np.float32)


def _axes() -> tuple[Field, Field]:
    y, x = np.mgrid[:DRAWN, :DRAWN].astype(np.float32)
    return x, y


def _away(rng: np.random.Generator, of: Pattern, wavelength: float) -> Field:
    """How far each pixel is from the nearest point of a disturbed grid, in pixels."""
    across = wavelength * min(of.along, 3)
    rows = np.arange(0, DRAWN + wavelength, wavelength) + rng.uniform(-wavelength, 0)
    columns = np.arange(0, DRAWN + across, across) + rng.uniform(-across, 0)
    points = np.stack(np.meshgrid(columns, rows), -1).reshape(-1, 2)
    points = points + rng.normal(0, 0.5 * (1 - of.order), points.shape) * (across, wavelength)
    at = np.clip(np.rint(points), 0, DRAWN - 1).astype(int)
    free = np.full((DRAWN, DRAWN), 255, np.uint8)
    free[at[:, 1], at[:, 0]] = 0
    return np.asarray(cv2.distanceTransform(free, cv2.DIST_L2, 5), np.float32)


_PATTERNS: Mapping[str, Callable[[np.random.Generator, Pattern, float], Field]] = {
    "grain": _grain,
    "islands": _islands,
    "creases": _creases,
    "stripes": _stripes,
    "weave": _weave,
    "dots": _dots,
    "cells": _cells,
    "strokes": _strokes,
}
