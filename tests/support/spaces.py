"""A feature space without encoders, for tests in which no picture is embedded."""

from __future__ import annotations

from typing import cast

import torch
from sqlalchemy import Engine

from vision.extractor import FeatureExtractor
from vision.framing import CENTRE_CROP, Framing
from workers.serving.spaces import Spaces


class BareSpace:
    """What a worker says of the only space it has."""

    device = torch.device("cpu")
    framing = CENTRE_CROP

    def __init__(self, fingerprint: str) -> None:
        self.fingerprint = self.reference = fingerprint
        self.dim = 2

    def space(self, framing: Framing, recipe: str | None = None) -> BareSpace:
        return self

    def describe_space(self) -> str:
        return "no encoders"


def bare_space(fingerprint: str) -> FeatureExtractor:
    """One for a picture that stays as it is."""
    return cast(FeatureExtractor, BareSpace(fingerprint))


def bare_spaces(engine: Engine, fingerprint: str) -> Spaces:
    """Those of a worker with this fingerprint."""
    return Spaces(engine, bare_space(fingerprint))
