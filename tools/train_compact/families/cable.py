"""Cables, drawn by the simulator: the standard product and many others."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from producer.simulator import CLASSES, STANDARD, CableDesign, Conditions, render
from tools.train_compact.families.picture import DRAWN, SIZE, Camera, Image, Picture, differing
from vision.preprocess import preprocess

DEFECTS: tuple[str, ...] = CLASSES
STANDARD_SHARE = 0.8
_COUNTS = {2: "two", 3: "three", 4: "four", 5: "five"}


def draw(rng: np.random.Generator, defect: str, camera: Camera | None = None) -> Picture:
    """Draw a cable's cut face under somewhat varied conditions.

    `camera` takes the picture in place of the simulator's, whose sensor then adds nothing.
    """
    # Of an unknown product nobody can say whether its colours are in the wrong order.
    standard = defect == "cable_swap" or rng.random() < STANDARD_SHARE
    design = STANDARD if standard else CableDesign.random(rng)
    conditions = _conditions(rng)
    if camera is not None:
        conditions = replace(conditions, noise=0.0, defocus_px=0.3)
    seed = int(rng.integers(1 << 62))
    small = _taken(defect, seed, design, conditions)
    twin = _taken("good", seed, design, conditions) if defect != "good" else small
    facts = {
        "family": "cable",
        "defect": defect,
        "count": _COUNTS[len(design.insulations)],
        "standard": "yes" if standard else "no",
        "size": "1024" if standard else "448",
    }
    if defect == "combined":
        facts["parts"] = _components(seed)
    if camera is not None:
        pixels = camera(rng, _drawn(defect, seed, design, conditions, 1024 if standard else 640))
    else:
        pixels = _as_cameras_do(defect, seed, conditions) if standard else small
    return Picture(pixels, differing(small, twin, 12), facts)


def _conditions(rng: np.random.Generator) -> Conditions:
    varied = Conditions(
        lighting=float(rng.uniform(0.75, 1.15)),
        colour_temperature_k=float(rng.uniform(5000, 6300)),
        direction_deg=float(225 + rng.normal(0, 12)),
        defocus_px=float(rng.uniform(0.5, 1.4)),
        noise=float(rng.uniform(1, 4)),
        wear=float(rng.choice([0.0, rng.uniform(0, 0.6)])),
    )
    return Conditions() if rng.random() < 0.6 else varied


def _as_cameras_do(defect: str, seed: int, conditions: Conditions) -> NDArray[np.uint8]:
    """The line's own size: strands look otherwise when they are drawn small.

    It takes five times as long, so the truth about cells comes from small twins.
    """
    pixels = render(defect, np.random.default_rng(seed), conditions=conditions)
    return np.asarray(preprocess(pixels).permute(1, 2, 0).numpy(), np.uint8)


def _drawn(defect: str, seed: int, design: CableDesign, conditions: Conditions, size: int) -> Image:
    """As the other families are drawn, from a picture of `size` pixels."""
    rng = np.random.default_rng(seed)
    pixels = render(defect, rng, design=design, conditions=conditions, size=size)
    small = cv2.resize(pixels, (DRAWN, DRAWN), interpolation=cv2.INTER_AREA)
    return np.asarray(small / np.float32(255), np.float32)


def _taken(
    defect: str, seed: int, design: CableDesign, conditions: Conditions
) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    pixels = render(defect, rng, design=design, conditions=conditions, size=2 * SIZE)
    return np.asarray(cv2.resize(pixels, (SIZE, SIZE), interpolation=cv2.INTER_AREA), np.uint8)


def _components(seed: int) -> str:
    """The two defects that the simulator combines, from the random stream that it harms with."""
    harm = np.random.default_rng(np.random.default_rng(seed).integers(1 << 62, size=3)[1])
    return ",".join(harm.choice(sorted(set(CLASSES) - {"good", "combined"}), 2, replace=False))
