"""Sentences of a scene as numbers, so that a device can say which is true of which picture."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from tools.train_compact.captions import Caption, describe

FIELDS = ("family", "defect", "count", "material", "colour", "ground", "severity")
_OF_COLOUR = ("material", "colour", "ground")  # what a grey picture does not show
COLOUR_FIELDS = tuple(FIELDS.index(name) for name in _OF_COLOUR)
OF_ANY, SOBER = 2, 2  # sentences a scene: of any kind, and such as state nothing of colours
UNSTATED, UNSEEN = 0, -1  # of a sentence; of a picture
Tokenise = Callable[[Sequence[str]], torch.Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class Sentences:
    """Of one scene or, with one more axis in front, of many.

    Attributes:
        facts: int32 [fields], what is true of it, as codes.
        tokens: int32 [OF_ANY + SOBER, context], sober ones last.
        states: int32 [OF_ANY + SOBER, fields], what each sentence states.
    """

    facts: NDArray[np.int32]
    tokens: NDArray[np.int32]
    states: NDArray[np.int32]


def sentences_of(
    facts: Mapping[str, str], rng: np.random.Generator, tokenise: Tokenise
) -> Sentences:
    """Some of the many sentences that are true of a scene.

    None says where a defect is: the device turns and moves what is seen.
    """
    known = {name: facts[name] for name in facts if name != "place"}
    said = [describe(known, rng) for _ in range(OF_ANY)] + [
        _sober(known, rng) for _ in range(SOBER)
    ]
    return Sentences(
        _codes(known),
        tokenise([caption.text for caption in said]).numpy().astype(np.int32),
        np.stack([_codes(caption.states) for caption in said]),
    )


def true_of(states: torch.Tensor, facts: torch.Tensor) -> torch.Tensor:
    """Which sentence is true of which picture, bool [pictures, sentences].

    Args:
        states: [sentences, fields].
        facts: [pictures, fields].
    """
    stated = states[None] != UNSTATED
    return ((states[None] == facts[:, None]) | ~stated).all(-1)


def _sober(facts: Mapping[str, str], rng: np.random.Generator) -> Caption:
    while True:  # each family has a noun that states no colour
        caption = describe(facts, rng)
        if not set(_OF_COLOUR) & set(caption.states):
            return caption


def _codes(values: Mapping[str, str]) -> NDArray[np.int32]:
    return np.array([_code(values.get(name)) for name in FIELDS], np.int32)


def _code(value: str | None) -> int:
    return UNSTATED if value is None else 1 + zlib.crc32(value.encode()) % 0x7FFFFFFE
