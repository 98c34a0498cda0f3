"""A version's files, checked against the row that was written when they were saved."""

from __future__ import annotations

from sqlalchemy import Engine

from db.models import versions
from db.models.versions import VersionInfo
from model_store.store import ModelStore, StoredModel


def stored_model(engine: Engine, store: ModelStore, version: str) -> StoredModel:
    """Load a version.

    Raises:
        ModelError: there is no such version, or its files are not what was saved.
    """
    return load(store, versions.require(engine, version))


def load(store: ModelStore, info: VersionInfo) -> StoredModel:
    """Load the files of a version whose row is known.

    Raises:
        ModelError: they are not what was saved when the row was written.
    """
    return store.load(info.product, info.version, manifest_sha256=info.manifest_sha256)
