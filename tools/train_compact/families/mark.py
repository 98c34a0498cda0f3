"""Printed marks: a line of characters or a code on a label, printed well or badly."""

from __future__ import annotations

import cv2
import numpy as np

from tools.train_compact.families.picture import (
    COLOURS,
    DRAWN,
    Camera,
    Picture,
    differing,
    mask,
    noise,
    paint,
    photograph,
    tint,
)

DEFECTS = ("good", "missing", "misprinted", "smeared", "faded")
_LETTERS = "ABCDEFGHKLMNPRSTUVXYZ0123456789"


def draw(rng: np.random.Generator, defect: str, camera: Camera = photograph) -> Picture:
    """Draw a label with three lines of print or a matrix code."""
    ground, ink = rng.choice(list(COLOURS), 2, replace=False).tolist()
    while abs(sum(COLOURS[ground]) - sum(COLOURS[ink])) < 0.7:
        ground, ink = rng.choice(list(COLOURS), 2, replace=False).tolist()
    paper = tint(rng, COLOURS[ground])
    image = np.ones((DRAWN, DRAWN, 3), np.float32) * paper
    image *= 1 + 0.03 * noise(rng, rng.uniform(1, 20))[..., None]
    print_ = _code(rng) if rng.random() < 0.35 else _text(rng)
    flawless = print_.copy()
    print_ = _HARM[defect](print_, rng)
    turn = cv2.getRotationMatrix2D((DRAWN / 2, DRAWN / 2), rng.normal(0, 4), rng.uniform(0.85, 1.1))
    print_, flawless = (cv2.warpAffine(p, turn, (DRAWN, DRAWN)) for p in (print_, flawless))
    paint(image, print_, tint(rng, COLOURS[ink]), 0.95)
    facts = {"family": "mark", "defect": defect, "colour": ink, "ground": ground}
    return Picture(camera(rng, image), differing(print_, flawless, 20), facts)


def _text(rng: np.random.Generator) -> np.ndarray:
    where, lines = mask(), int(rng.integers(1, 4))
    font = int(rng.choice([cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX]))
    for line in range(lines):
        text = "".join(rng.choice(list(_LETTERS), 7))
        y = int(DRAWN * (line + 1) / (lines + 1)) + 15
        cv2.putText(where, text, (30, y), font, rng.uniform(1.4, 1.9), 255, 4, cv2.LINE_AA)
    return where


def _code(rng: np.random.Generator) -> np.ndarray:
    cells = np.where(rng.random((14, 14)) < 0.5, np.uint8(255), np.uint8(0))
    cells[:, 0] = cells[-1] = 255
    where = mask()
    where[60:256, 60:256] = cv2.resize(cells, (196, 196), interpolation=cv2.INTER_NEAREST)
    return where


def _missing(where: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    ys, xs = np.nonzero(where)
    pick = int(rng.integers(len(xs)))
    w, h = rng.integers(22, 90), rng.integers(28, 60)
    x, y = max(0, xs[pick] - w // 2), max(0, ys[pick] - h // 2)
    where[y : y + h, x : x + w] = 0
    return where


def _misprinted(where: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    shift = np.array([[1, 0, rng.uniform(5, 14)], [0, 1, rng.uniform(-9, 9)]])
    double = cv2.warpAffine(where, shift, (DRAWN, DRAWN))
    if rng.random() < 0.5:
        return np.maximum(where, double)
    cut = int(rng.uniform(0.35, 0.65) * DRAWN)
    where[cut:] = np.roll(where, int(rng.choice([-1, 1]) * rng.integers(10, 35)), 1)[cut:]
    return where


def _smeared(where: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    kernel = np.zeros((41, 41), np.float32)
    kernel[20, 20 : 20 + int(rng.integers(8, 20))] = 1
    turned = cv2.warpAffine(
        kernel, cv2.getRotationMatrix2D((20, 20), rng.uniform(0, 360), 1), (41, 41)
    )
    smear = cv2.filter2D(where, -1, turned / max(float(turned.max()), 0.1) * 0.12)
    x = int(rng.uniform(0, 0.5) * DRAWN)
    band = slice(x, x + int(rng.uniform(0.3, 0.6) * DRAWN))
    where[:, band] = np.maximum(where, smear)[:, band]
    return where


def _faded(where: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    keep = np.clip(noise(rng, rng.uniform(1.5, 12)) * 1.2 + rng.uniform(-0.8, 0.4), 0, 1)
    return np.asarray(where * keep, np.uint8)


def _good(where: np.ndarray, _: np.random.Generator) -> np.ndarray:
    return where


_HARM = {
    "good": _good,
    "missing": _missing,
    "misprinted": _misprinted,
    "smeared": _smeared,
    "faded": _faded,
}
