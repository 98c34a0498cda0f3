"""Flat surfaces: rolled, brushed, cast or coated, with the flaws of strip and castings."""

from __future__ import annotations

import cv2
import numpy as np

from tools.train_compact.families.picture import (
    COLOURS,
    DRAWN,
    METALS,
    Camera,
    Image,
    Picture,
    blob,
    differing,
    mask,
    noise,
    paint,
    photograph,
    place_name,
    severity_name,
    tint,
    wander,
)

DEFECTS = (
    "good",
    "scratch",
    "pits",
    "inclusion",
    "rolled_in_scale",
    "roll_marks",
    "rust",
    "ash",
    "crack",
    "stain",
)


def draw(rng: np.random.Generator, defect: str, camera: Camera = photograph) -> Picture:
    """Draw a surface with one kind of flaw."""
    metal = rng.random() < 0.75
    material = str(rng.choice(list(METALS))) if metal else "painted"
    colour = METALS[material] if metal else COLOURS[str(rng.choice(list(COLOURS)))]
    image = _ground(rng, tint(rng, colour))
    strength = float(rng.uniform(0.15, 1))
    centre = rng.uniform(0.15, 0.85, 2) * DRAWN
    flawless = image.copy()
    if defect != "good":
        flaw(image, rng, defect, strength, centre)
    facts = {"family": "texture", "defect": defect, "material": material}
    if defect != "good":
        facts["severity"] = severity_name(strength)
    if defect in ("scratch", "inclusion", "crack", "stain"):
        facts["place"] = place_name(centre)
    harmed = differing(image, flawless, 0.02)
    if rng.random() < 0.5:
        image, harmed = np.ascontiguousarray(np.rot90(image)), np.rot90(harmed)
        facts.pop("place", None)
    return Picture(camera(rng, image), harmed, facts)


def flaw(
    image: Image, rng: np.random.Generator, defect: str, strength: float, centre: np.ndarray
) -> None:
    """Lay a flaw of `strength` in 0..1 on a surface, in place, near `centre` (x, y in pixels)."""
    _FLAWS[defect](image, rng, strength, centre)


def _ground(rng: np.random.Generator, colour: np.ndarray) -> Image:
    kind = rng.choice(["rolled", "brushed", "cast", "smooth"])
    along = {"rolled": rng.uniform(3, 8), "brushed": rng.uniform(15, 40)}.get(str(kind), 1.0)
    fine = rng.uniform(0.02, 0.12) * noise(rng, rng.uniform(0.8, 2), along=along)
    broad = rng.uniform(0.01, 0.08) * noise(rng, rng.uniform(8, 40), along=rng.uniform(1, 4))
    shade = 1 + (0.3 if kind == "smooth" else 1) * fine + broad
    hue = 1 + 0.02 * rng.standard_normal(3) * noise(rng, 30)[..., None]
    return np.asarray(colour * shade[..., None] * hue, np.float32)


def _either(rng: np.random.Generator, image: Image) -> np.ndarray:
    """A flaw's colour: darker or brighter than its surroundings."""
    mean = image.mean((0, 1))
    if rng.random() < 0.6:
        return np.asarray(mean * rng.uniform(0.2, 0.65), np.float32)
    return np.asarray(np.clip(mean * rng.uniform(1.3, 1.8) + 0.08, 0, 1), np.float32)


def _scratch(image: Image, rng: np.random.Generator, strength: float, centre: np.ndarray) -> None:
    heading = rng.uniform(0, np.pi)
    for _ in range(1 + int(rng.integers(0, 4))):
        where = mask()
        start = centre + rng.normal(0, 18, 2)
        line = wander(rng, start, heading + rng.normal(0, 0.08), rng.uniform(60, 260), 0.02)
        cv2.polylines(where, [line], False, 255, int(rng.integers(1, 3 + int(3 * strength))), 16)
        paint(image, where, _either(rng, image), 0.3 + 0.65 * strength)


def _pits(image: Image, rng: np.random.Generator, strength: float, centre: np.ndarray) -> None:
    where = mask()
    spread = rng.uniform(25, 110)
    for _ in range(int(5 + 50 * strength)):
        at = np.rint(centre + rng.normal(0, spread, 2)).astype(int)
        cv2.circle(where, at.tolist(), int(rng.integers(1, 5)), 255, -1, 16)
    lit = cv2.warpAffine(where, np.array([[1, 0, 2.0], [0, 1, 2.0]]), (DRAWN, DRAWN))
    paint(image, lit, np.minimum(image.mean((0, 1)) * 1.4, 1), 0.5)
    paint(image, where, image.mean((0, 1)) * np.float32(0.35), 0.85)


def _inclusion(image: Image, rng: np.random.Generator, strength: float, centre: np.ndarray) -> None:
    colour = _either(rng, image)
    heading = rng.uniform(0, np.pi)
    for _ in range(1 + int(rng.integers(0, 4))):
        where = mask()
        at = centre + rng.normal(0, 30, 2)
        shape = blob(rng, np.zeros(2), 6 + 26 * strength * rng.uniform(0.4, 1)).astype(np.float64)
        stretch = rng.uniform(1, 5)
        spin = np.array([[np.cos(heading), np.sin(heading)], [-np.sin(heading), np.cos(heading)]])
        shape = (shape * [stretch, 0.7]) @ spin + at
        cv2.fillPoly(where, [np.rint(shape).astype(np.int32)], 255, 16)
        where = cv2.GaussianBlur(where, (0, 0), rng.uniform(0.5, 3))
        paint(image, where, colour, 0.5 + 0.45 * strength)


def _scale(image: Image, rng: np.random.Generator, strength: float, _: np.ndarray) -> None:
    field = noise(rng, rng.uniform(3, 9), along=rng.uniform(1, 5))
    field = field + 0.8 * noise(rng, rng.uniform(25, 60))
    level = 2.0 - 1.8 * strength
    where = np.clip((field - level) * 400, 0, 255).astype(np.uint8)
    paint(image, where, image.mean((0, 1)) * np.float32(rng.uniform(0.25, 0.7)), 0.8)


def _roll_marks(image: Image, rng: np.random.Generator, strength: float, _: np.ndarray) -> None:
    where, pitch = mask(), rng.uniform(28, 90)
    mark = blob(rng, np.zeros(2), rng.uniform(4, 12))
    start, slant = rng.uniform(0, pitch, 2), rng.normal(0, 0.1)
    rows = 1 + int(rng.integers(0, 4))
    for row in range(rows):
        top = start[0] + row * DRAWN / rows
        for x in np.arange(start[1], DRAWN, pitch):
            cv2.fillPoly(where, [mark + np.rint([x, top + slant * x]).astype(np.int32)], 255, 16)
    paint(image, where, _either(rng, image), 0.25 + 0.6 * strength)


def _rust(image: Image, rng: np.random.Generator, strength: float, _: np.ndarray) -> None:
    field = noise(rng, rng.uniform(8, 40), along=rng.uniform(1, 6)) + 0.4 * noise(rng, 3)
    where = np.clip((field + 2.4 * strength - 1.2) * 120, 0, 255).astype(np.uint8)
    colour = tint(rng, (0.5, 0.26, 0.16), 0.05)
    paint(image, where, colour * rng.uniform(0.6, 1.1), 0.25 + 0.6 * strength)


def _ash(image: Image, rng: np.random.Generator, strength: float, _: np.ndarray) -> None:
    field = noise(rng, rng.uniform(1, 2.5)) + rng.uniform(0.3, 1) * noise(rng, rng.uniform(20, 50))
    where = np.clip((field - 2.6 + 1.6 * strength) * 300, 0, 255).astype(np.uint8)
    paint(image, where, _either(rng, image), 0.7)


def _crack(image: Image, rng: np.random.Generator, strength: float, centre: np.ndarray) -> None:
    where, heading = mask(), rng.uniform(0, 2 * np.pi)
    line = wander(rng, centre, heading, 40 + 160 * strength, 0.3)
    cv2.polylines(where, [line], False, 255, 1 + int(2 * strength), 16)
    for _ in range(int(rng.integers(0, 5))):
        at = line[int(rng.integers(len(line)))].astype(np.float64)
        branch = wander(rng, at, heading + rng.normal(0, 1), rng.uniform(15, 60), 0.3)
        cv2.polylines(where, [branch], False, 255, 1, 16)
    paint(image, where, image.mean((0, 1)) * np.float32(0.15), 0.9)


def _stain(image: Image, rng: np.random.Generator, strength: float, centre: np.ndarray) -> None:
    where = mask()
    cv2.fillPoly(where, [blob(rng, centre, 25 + 70 * strength)], 255, 16)
    where = cv2.GaussianBlur(where, (0, 0), rng.uniform(1, 10))
    paint(image, where, _either(rng, image), rng.uniform(0.2, 0.5))


_FLAWS = {
    "scratch": _scratch,
    "pits": _pits,
    "inclusion": _inclusion,
    "rolled_in_scale": _scale,
    "roll_marks": _roll_marks,
    "rust": _rust,
    "ash": _ash,
    "crack": _crack,
    "stain": _stain,
}
