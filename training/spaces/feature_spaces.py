"""Which features encoders make: for a model, and for the database to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Engine

from db.models import feature_spaces
from db.session import transaction
from linewatch.errors import ConfigurationError, ModelError, WeightsError
from model_store.manifest import Manifest
from vision.framing import Framing

if TYPE_CHECKING:  # who has an extractor has loaded torch
    from vision.extractor import FeatureExtractor


def space_of(extractor: FeatureExtractor, manifest: Manifest) -> FeatureExtractor:
    """The extractor of the features that a model was fitted on, by the encoders of another.

    Raises:
        ModelError: these encoders, or this version, do not make them.
    """
    if manifest.fingerprint in (extractor.fingerprint, extractor.reference):
        return extractor
    try:
        return extractor.space(Framing.of(manifest.fit, manifest.roi), manifest.recipe)
    except (ConfigurationError, WeightsError) as error:
        raise ModelError(f"model {manifest.version} cannot serve here: {error}") from None


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
