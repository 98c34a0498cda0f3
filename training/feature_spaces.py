"""Tells the database which features these encoders make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Engine

from db.models import feature_spaces
from db.session import transaction

if TYPE_CHECKING:  # who has an extractor has loaded torch
    from vision.extractor import FeatureExtractor


def register(engine: Engine, extractor: FeatureExtractor) -> None:
    """Note what the extractor's fingerprint stands for, if the database does not know it yet."""
    with transaction(engine) as connection:
        feature_spaces.register(
            connection,
            extractor.fingerprint,
            encoders=extractor.describe_space(),
            dim=extractor.dim,
            reference=extractor.reference,
        )
