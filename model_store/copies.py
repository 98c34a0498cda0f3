"""Versions copied from one store to another, as they are and checked."""

from __future__ import annotations

from collections.abc import Mapping

from linewatch.errors import ModelError
from model_store.files import ModelFiles
from model_store.names import checked_name
from model_store.store import HEAD, MANIFEST, MANIFEST_LIMIT, ModelStore


def all_versions(url: str) -> list[tuple[str, str]]:
    """Product and version of everything in a store, products by name, versions oldest first.

    Raises:
        ModelError: the store is away, or may not be listed.
    """
    store, found = ModelStore(url), []
    for product in ModelFiles(url).subfolders():
        try:
            checked_name(product)
        except ModelError:
            continue  # somebody else's folder
        found += [(product, version) for version in store.versions(product)]
    return found


def read_version(url: str, product: str, version: str) -> dict[str, bytes]:
    """A version's files, byte for byte, after they were checked.

    Raises:
        ModelError: it is damaged or missing; with a cause, where the store cannot be read.
    """
    manifest = ModelStore(url).verify(product, version)
    limits = {HEAD: manifest.head_bytes, MANIFEST: MANIFEST_LIMIT}
    files = ModelFiles(url)
    return {name: files.read(f"{product}/{version}/{name}", limits[name]) for name in limits}


def write_version(url: str, product: str, version: str, content: Mapping[str, bytes]) -> None:
    """Put what `read_version` gave into another store; it appears whole or not at all.

    Raises:
        ModelError: it is there already; with a cause, where the store cannot be written.
    """
    ModelFiles(url).write(f"{checked_name(product)}/{checked_name(version)}", content)
