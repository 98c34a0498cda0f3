"""Round parts seen along their axis: machined rings, washers, rims and necks."""

from __future__ import annotations

import cv2
import numpy as np

from tools.train_compact.families.neck import Neck
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
    severity_name,
    tint,
    wander,
)

DEFECTS = ("good", "small_chip", "large_chip", "burr", "crack", "contamination")
_NECKS = 0.5  # the share of rings that are necks of glass


def draw(rng: np.random.Generator, defect: str, camera: Camera = photograph) -> Picture:
    """Draw a ring of one to four concentric steps on a table, or a neck of glass."""
    if rng.random() < _NECKS:
        return _neck(rng, defect, camera)
    material = str(rng.choice([*METALS, "plastic"]))
    colour = METALS.get(material) or COLOURS[str(rng.choice(list(COLOURS)))]
    table = tint(rng, (1, 1, 1), 0.02) * np.float32(rng.choice([0.08, 0.3, 0.7, 0.95]))
    image = np.ones((DRAWN, DRAWN, 3), np.float32) * table
    image *= 1 + 0.03 * noise(rng, rng.uniform(1, 30))[..., None]
    centre = DRAWN / 2 + rng.normal(0, 5, 2)
    outer = DRAWN * rng.uniform(0.3, 0.48)
    bore = outer * rng.uniform(0.3, 0.8)
    _steps(image, rng, centre, (outer, bore), tint(rng, colour))
    hole = table if rng.random() < 0.5 else np.float32(0.06) * np.ones(3, np.float32)
    where = mask()
    cv2.circle(where, np.rint(centre).astype(int).tolist(), int(bore), 255, -1, 16)
    paint(image, where, hole)
    strength = float(rng.uniform(0, 1))
    flawless = image.copy()
    if defect != "good":
        _harm(image, rng, defect, strength, (centre, outer, bore, table, hole))
    return _picture(rng, (image, flawless), defect, material, strength, camera)


def _neck(rng: np.random.Generator, defect: str, camera: Camera) -> Picture:
    neck, strength = Neck(rng), float(rng.uniform(0, 1))
    image = neck.image.copy()
    if defect != "good":
        neck.harm(image, defect, strength)
    return _picture(rng, (image, neck.image), defect, "glass", strength, camera)


def _picture(
    rng: np.random.Generator,
    harmed_and_not: tuple[Image, Image],
    defect: str,
    material: str,
    strength: float,
    camera: Camera,
) -> Picture:
    image, flawless = harmed_and_not
    facts = {"family": "ring", "defect": defect, "material": material}
    if defect in ("burr", "crack", "contamination"):
        facts["severity"] = severity_name(strength)
    return Picture(camera(rng, image), differing(image, flawless, 0.02), facts)


def _steps(
    image: np.ndarray,
    rng: np.random.Generator,
    centre: np.ndarray,
    radii: tuple[float, float],
    colour: np.ndarray,
) -> None:
    y, x = np.mgrid[:DRAWN, :DRAWN].astype(np.float32)
    out = np.hypot(x - centre[0], y - centre[1]).astype(np.float32)
    angle = np.arctan2(y - centre[1], x - centre[0])
    outer, bore = radii
    shine = rng.uniform(0, 0.35) * np.cos(2 * (angle - rng.uniform(0, np.pi)))
    grooves = rng.uniform(0, 0.08) * np.sin(out * rng.uniform(0.5, 2.5))
    for edge in [*np.sort(rng.uniform(bore, outer, int(rng.integers(0, 4))))[::-1].tolist(), 0]:
        shade = rng.uniform(0.45, 1.25) * (1 + shine + grooves)
        where = np.clip((outer - out + 0.5) * 255, 0, 255).astype(np.uint8)
        paint(image, where, np.asarray(colour * shade[..., None], np.float32))
        rim = np.clip(255 * np.exp(-(((out - outer) / rng.uniform(1, 3)) ** 2)), 0, 255)
        paint(image, rim.astype(np.uint8), colour * np.float32(rng.choice([0.3, 1.6])), 0.6)
        outer = edge


def _harm(
    image: np.ndarray, rng: np.random.Generator, defect: str, strength: float, part: tuple
) -> None:
    centre, outer, bore, table, hole = part
    turn = rng.uniform(0, 2 * np.pi)
    toward = np.array([np.cos(turn), np.sin(turn)])
    where, wall = mask(), outer - bore
    inner = rng.random() < 0.5
    edge = bore if inner else outer
    if defect in ("small_chip", "large_chip"):
        reach = rng.uniform(5, 12) if defect == "small_chip" else rng.uniform(22, 60)
        for k in range(1 if defect == "small_chip" else int(rng.integers(2, 5))):
            at = centre + edge * toward + rng.normal(0, 0.6 * reach * (k > 0), 2)
            cv2.fillPoly(where, [blob(rng, at, reach)], 255, 16)
        paint(image, where, hole if inner else table, rng.uniform(0.7, 1))
        facet = mask()
        cv2.polylines(facet, [blob(rng, centre + edge * toward, 0.8 * reach)], True, 255, 2, 16)
        paint(image, facet, np.minimum(image.mean((0, 1)) * 1.9, 1), 0.8)
    elif defect == "burr":
        side = np.array([-toward[1], toward[0]])
        for _ in range(int(2 + 8 * strength)):
            at = centre + edge * toward + side * rng.normal(0, 4 + 20 * strength)
            cv2.fillPoly(where, [blob(rng, at, rng.uniform(2, 5 + 5 * strength))], 255, 16)
        paint(image, where, np.minimum(image.mean((0, 1)) * 1.7 + 0.1, 1), 0.9)
    elif defect == "crack":
        start = centre + (bore + wall * rng.uniform(0, 0.6)) * toward
        line = wander(rng, start, turn + rng.normal(0, 0.7), wall * (0.3 + strength), 0.2)
        cv2.polylines(where, [line], False, 255, 1 + int(2 * strength), 16)
        paint(image, where, image.mean((0, 1)) * np.float32(rng.choice([0.1, 2.0])), 0.85)
    else:
        for _ in range(1 + int(3 * strength)):
            at = centre + rng.uniform(0, 1) * outer * toward + rng.normal(0, 15, 2)
            cv2.fillPoly(where, [blob(rng, at, rng.uniform(5, 12 + 25 * strength))], 255, 16)
        soft = cv2.GaussianBlur(where, (0, 0), rng.uniform(0.5, 3))
        paint(image, soft, tint(rng, COLOURS[str(rng.choice(list(COLOURS)))]), 0.85)
