"""What features are made of, in one hash: a model and its features must agree on it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

RECIPE = "clip-dino-l2/1"  # name and version of `vision.recipe.fuse`
_BETWEEN = ", recipe "


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Everything that decides which numbers a picture becomes.

    The device and the precision are left out on purpose: a model fitted on one serves on another.
    """

    recipe: str
    preprocessing: Mapping[str, object]
    encoders: Mapping[str, Mapping[str, object]]  # architecture of each, by name
    weights_sha256: Mapping[str, str]
    dim: int

    @property
    def hex(self) -> str:
        """SHA-256 of the canonical JSON, 64 hex digits: the same in every process."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()


def space_description(encoders: str, recipe: str) -> str:
    """What a feature space is made of, in words: the encoders, and any recipe but the seed's."""
    return encoders if recipe == RECIPE else f"{encoders}{_BETWEEN}{recipe}"


def recipe_of(description: str) -> str:
    """The recipe's name and version out of `space_description`'s words."""
    return description.rpartition(_BETWEEN)[2] if _BETWEEN in description else RECIPE
