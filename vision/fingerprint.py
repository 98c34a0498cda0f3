"""What features are made of, in one hash: a model and its features must agree on it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from vision.framing import CENTRE_CROP, Framing, split_words

RECIPE = "clip-dino-l2/1"  # name and version of `vision.recipe.fuse`
_BETWEEN = ", recipe "


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Everything that decides which numbers a picture becomes.

    The device and the library are left out on purpose: float32 is float32 everywhere, and a model
    fitted on one serves on another. Other precisions say so in `numerics`.
    """

    recipe: str
    preprocessing: Mapping[str, object]
    encoders: Mapping[str, Mapping[str, object]]  # architecture of each, by name
    weights_sha256: Mapping[str, str]
    dim: int
    numerics: str = ""  # empty: float32

    @property
    def hex(self) -> str:
        """SHA-256 of the canonical JSON, 64 hex digits: the same in every process."""
        fields = asdict(self)
        if not self.numerics:  # features from before it was written down keep their fingerprint
            del fields["numerics"]
        text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def in_precision(self, numerics: str) -> Fingerprint:
        """That of the same features in another precision; empty: float32, the reference."""
        return replace(self, numerics=numerics)

    def framed(self, framing: Framing, size: int) -> Fingerprint:
        """That of pictures that are brought to squares of `size` pixels in another way."""
        return replace(self, preprocessing=framing.preprocessing(size))


def space_description(encoders: str, recipe: str, framing: Framing = CENTRE_CROP) -> str:
    """What a feature space is made of, in words: the encoders, and what differs from the seed's."""
    named = encoders if recipe == RECIPE else f"{encoders}{_BETWEEN}{recipe}"
    return named + framing.words


def recipe_of(description: str) -> str:
    """The recipe's name and version out of `space_description`'s words."""
    named, _ = split_words(description)
    return named.rpartition(_BETWEEN)[2] if _BETWEEN in named else RECIPE


def is_recipe(description: str, recipe: str) -> bool:
    """Whether `space_description`'s words name what LINEWATCH_RECIPE calls `recipe`."""
    found = recipe_of(description)
    return found == RECIPE if recipe == "seed" else found.partition("/")[0] == recipe


def framing_of(description: str) -> Framing:
    """The framing out of `space_description`'s words."""
    return split_words(description)[1]
