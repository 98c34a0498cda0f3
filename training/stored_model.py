"""A version's files, checked against the row that was written when they were saved."""

from __future__ import annotations

import logging

from sqlalchemy import Engine

from db.models import versions
from db.models.versions import VersionInfo
from linewatch.errors import ModelError
from model_store.heads.kinds import BEFORE, HeadKind
from model_store.store import ModelStore, StoredModel

log = logging.getLogger(__name__)


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


def serving_head(store: ModelStore, serving: VersionInfo | None) -> HeadKind | None:
    """The kind of the head that serves; None where none does, or it cannot be read."""
    if serving is None:
        return None
    try:
        manifest = load(store, serving).manifest
    except ModelError as error:
        log.warning("%s: its head's kind is not known: %s", serving.version, error)
        return None
    return (manifest.head or BEFORE) if manifest.kind == "fitted" else None
