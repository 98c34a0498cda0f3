"""Tells the database which features these encoders make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Engine

from db import feature_spaces

if TYPE_CHECKING:  # who has an extractor has loaded torch
    from vision.extractor import FeatureExtractor


def register(engine: Engine, extractor: FeatureExtractor) -> None:
    """Note what the extractor's fingerprint stands for, if the database does not know it yet."""
    feature_spaces.register(
        engine,
        extractor.fingerprint,
        encoders=extractor.describe_space(),
        dim=extractor.dim,
        reference=extractor.reference,
    )
