"""Which of CLIP's stages places are seen by, and on what grid; needs no torch."""

from __future__ import annotations

GRID = 14  # places along each side of a square, at most
STAGES = (-4, -3, -2)  # of the compact CLIP's stem and four stages: all but the first and the last
# Name and version: tokens of another look must not be compared with these.
LOOK = f"clip{list(STAGES)}@{GRID}/1"
