"""Connectors: a housing with rows of metal pins."""

from __future__ import annotations

import cv2
import numpy as np

from tools.train_compact.families.picture import (
    COLOURS,
    DRAWN,
    METALS,
    Camera,
    Picture,
    blob,
    differing,
    mask,
    noise,
    paint,
    photograph,
    place_name,
    tint,
)

DEFECTS = ("good", "bent_pin", "missing_pin", "dirty_pin", "cracked_housing")


def draw(rng: np.random.Generator, defect: str, camera: Camera = photograph) -> Picture:
    """Draw a connector seen from its mating side."""
    colour = str(rng.choice(list(COLOURS)))
    metal = str(rng.choice(["steel", "brass", "copper", "aluminium"]))
    image = np.ones((DRAWN, DRAWN, 3), np.float32) * np.float32(rng.uniform(0.1, 0.9))
    image *= 1 + 0.03 * noise(rng, rng.uniform(1, 20))[..., None]
    rows, columns = int(rng.integers(1, 5)), int(rng.integers(3, 8))
    pitch = min(0.8 * DRAWN / columns, 0.7 * DRAWN / rows, rng.uniform(34, 60))
    corner = DRAWN / 2 - pitch * np.array([columns - 1, rows - 1]) / 2 + rng.normal(0, 4, 2)
    housing = tint(rng, COLOURS[colour])
    body = mask()
    low, high = corner - 0.8 * pitch, corner + pitch * (np.array([columns, rows]) - 0.2)
    cv2.rectangle(
        body, np.rint(low).astype(int).tolist(), np.rint(high).astype(int).tolist(), 255, -1
    )
    paint(image, body, housing)
    pins = [corner + pitch * np.array([x, y]) for y in range(rows) for x in range(columns)]
    harmed = int(rng.integers(len(pins)))
    style = (pitch * rng.uniform(0.12, 0.26), bool(rng.random() < 0.5), tint(rng, METALS[metal]))
    for at in pins:
        _pin(image, rng, at, style, housing, "good")
    flawless = image.copy()
    if defect.endswith("_pin"):
        _pin(image, rng, pins[harmed], style, housing, defect)
    if defect == "cracked_housing":
        _crack(image, rng, low, high, housing)
    facts = {"family": "connector", "defect": defect, "colour": colour, "material": metal}
    if defect != "good" and defect != "cracked_housing":
        facts["place"] = place_name(pins[harmed])
    return Picture(camera(rng, image), differing(image, flawless, 0.02), facts)


def _pin(
    image: np.ndarray,
    rng: np.random.Generator,
    at: np.ndarray,
    style: tuple[float, bool, np.ndarray],
    housing: np.ndarray,
    defect: str,
) -> None:
    reach, square, metal = style
    socket, pin = mask(), mask()
    centre = np.rint(at).astype(int)
    cv2.circle(socket, centre.tolist(), int(1.5 * reach), 255, -1, 16)
    paint(image, socket, housing * np.float32(0.35))
    if defect == "missing_pin":
        return
    turn = rng.uniform(0, 2 * np.pi)
    lean = (reach * rng.uniform(1.2, 3) if defect == "bent_pin" else 0) * np.array(
        [np.cos(turn), np.sin(turn)]
    )
    tip = np.rint(at + lean).astype(int)
    cv2.line(pin, centre.tolist(), tip.tolist(), 255, max(1, int(2 * reach)), 16)
    if square:
        r = int(reach)
        cv2.rectangle(pin, (tip - r).tolist(), (tip + r).tolist(), 255, -1)
    else:
        cv2.circle(pin, tip.tolist(), int(reach), 255, -1, 16)
    paint(image, pin, metal * np.float32(rng.uniform(0.9, 1.1)))
    spot = mask()
    cv2.circle(spot, (tip - int(reach / 3)).tolist(), max(1, int(reach / 3)), 255, -1, 16)
    paint(image, spot, np.minimum(metal * 1.5, 1), 0.8)
    if defect == "dirty_pin":
        dirt = mask()
        cv2.fillPoly(dirt, [blob(rng, at + rng.normal(0, 2, 2), 1.4 * reach)], 255, 16)
        paint(image, dirt, tint(rng, (0.2, 0.16, 0.1), 0.05), 0.85)


def _crack(
    image: np.ndarray,
    rng: np.random.Generator,
    low: np.ndarray,
    high: np.ndarray,
    housing: np.ndarray,
) -> None:
    where = mask()
    x = rng.uniform(low[0], high[0])
    edge = low[1] if rng.random() < 0.5 else high[1]
    inward = 1 if edge == low[1] else -1
    steps = np.cumsum(rng.uniform(2, 7, 8)) * inward
    line = np.stack([x + np.cumsum(rng.normal(0, 4, 8)), edge + steps], 1)
    cv2.polylines(where, [np.rint(line).astype(np.int32)], False, 255, int(rng.integers(1, 4)), 16)
    paint(image, where, housing * np.float32(rng.choice([0.2, 1.8])), 0.9)
