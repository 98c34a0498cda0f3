"""What one would take without any network: gradients and colours."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

Features = NDArray[np.float32]


def classical_features(pixels: torch.Tensor) -> Features:
    """HOG on 112x112 grey pixels and a colour histogram of 8 bins a channel, each of length 1."""
    rows = []
    for picture in pixels.permute(0, 2, 3, 1).contiguous().numpy():
        grey = cv2.cvtColor(cv2.resize(picture, (112, 112)), cv2.COLOR_RGB2GRAY)
        bins = [np.bincount(picture[..., c].ravel() // 32, minlength=8) for c in range(3)]
        joint = np.bincount((picture // 64 @ np.array([16, 4, 1])).ravel(), minlength=64)
        colour = np.concatenate([*bins, joint]).astype(np.float32)
        rows.append(np.concatenate([_unit(_hog(grey.astype(np.float32))), _unit(colour)]))
    return np.asarray(rows, np.float32)


def _hog(grey: NDArray[np.float32], cell: int = 16, bins: int = 9) -> NDArray[np.float32]:
    """Histograms of oriented gradients (Dalal and Triggs, CVPR 2005).

    Unsigned orientations shared between two neighbouring bins, blocks of 2x2 cells with clipped L2
    norm. OpenCV 5 has it no more, and its value here is to be simple.
    """
    across = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=1)
    down = cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=1)
    turn = np.arctan2(down, across) % np.pi * bins / np.pi - 0.5
    lower = np.floor(turn).astype(int)
    share, strength = turn - lower, np.hypot(across, down)
    row, column = np.indices(grey.shape) // cell
    count = grey.shape[0] // cell
    cells = np.zeros((count, count, bins))
    np.add.at(cells, (row, column, lower % bins), (1 - share) * strength)
    np.add.at(cells, (row, column, (lower + 1) % bins), share * strength)
    corners = [cells[i : count - 1 + i, j : count - 1 + j] for i in (0, 1) for j in (0, 1)]
    blocks = np.concatenate(corners, axis=-1)
    blocks = np.minimum(blocks / (np.linalg.norm(blocks, axis=-1, keepdims=True) + 1e-6), 0.2)
    blocks /= np.linalg.norm(blocks, axis=-1, keepdims=True) + 1e-6
    return np.asarray(blocks.ravel(), np.float32)


def _unit(vector: NDArray[Any]) -> NDArray[np.float32]:
    return np.asarray(vector / (np.linalg.norm(vector) + 1e-9), np.float32)
