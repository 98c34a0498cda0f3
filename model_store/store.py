"""The model store: `<product>/<version>/{manifest.json, head.safetensors}` beneath any URL."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load, save

from linewatch.errors import ModelError
from linewatch.unknown_keys import short, without_unknown
from model_store.files import ModelFiles
from model_store.heads.head import Head
from model_store.manifest import Manifest, ManifestDraft, library_versions
from model_store.names import checked_name, new_version_name
from model_store.novelty.novelty import AnyNovelty, Novelty
from model_store.novelty.patch_memory import PatchMemory
from model_store.novelty.whitened import WhitenedNovelty

MANIFEST, HEAD = "manifest.json", "head.safetensors"
_TENSORS = ("mean", "scale", "coef", "intercept", "centroids")
_PREFIX, _GOOD = "novelty_", "one_class_"  # of their tensors' names
_PATCHES = "patch_tokens"
M = TypeVar("M", bound=AnyNovelty)
_MEASURES: tuple[type[AnyNovelty], ...] = (Novelty, WhitenedNovelty)
MANIFEST_LIMIT = 4 * 2**20  # bytes
_ADVICE = "restore the folder from a backup, or train a new version with `linewatch train`"


@dataclass(frozen=True, slots=True, eq=False)
class StoredModel:
    """A version that was loaded and checked."""

    head: Head
    manifest: Manifest
    novelty: AnyNovelty | None = None
    one_class: Novelty | None = None
    memory: PatchMemory | None = None


class ModelStore:
    """Saves and loads model versions. A version is never changed once it is saved.

    Args:
        url: a local path, or any fsspec URL: file://, memory://, s3:// (with `linewatch[s3]`).

    Raises:
        ModelError: the URL is of a kind that nothing here can open.
    """

    def __init__(self, url: str) -> None:
        self._files = ModelFiles(url)

    def save(
        self,
        head: Head,
        draft: ManifestDraft,
        *,
        novelty: AnyNovelty | None = None,
        one_class: Novelty | None = None,
        memory: PatchMemory | None = None,
    ) -> Manifest:
        """Store a new version under a new name; it appears whole or not at all.

        Raises:
            ModelError: head and draft disagree, or the store is full, read-only or away.
        """
        product = checked_name(draft.product)
        data = _tensors(head, novelty, one_class, memory)
        name = new_version_name(product, draft.created_at)
        while self._files.exists(f"{product}/{name}"):
            name = new_version_name(product, draft.created_at)
        manifest = _complete(draft, head, name, data)
        text = manifest.model_dump_json(indent=1).encode()
        self._files.write(f"{product}/{name}", {HEAD: data, MANIFEST: text})
        return manifest

    def load(
        self, product: str, version: str, *, manifest_sha256: str | None = None
    ) -> StoredModel:
        """Load a version and check all that can be checked.

        Args:
            product, version: which.
            manifest_sha256: what was recorded elsewhere when it was saved. Whoever can write into
                the store can seal a forged manifest anew, but not this.

        Raises:
            ModelError: a file is missing, damaged, tampered with or of another version or format;
                says which one and what to do.
        """
        manifest = self.manifest(product, version)
        if manifest_sha256 is not None and manifest.manifest_sha256 != manifest_sha256:
            raise ModelError(
                f"{self._where(f'{product}/{version}/{MANIFEST}')} is not the one that was "
                f"recorded when the model was saved; {_ADVICE}"
            )
        path = f"{product}/{version}/{HEAD}"
        data = self._files.read(path, manifest.head_bytes)
        if len(data) != manifest.head_bytes or _sha256(data) != manifest.head_sha256:
            raise ModelError(f"{self._where(path)} is not the file that was saved; {_ADVICE}")
        stored = self._parts(path, data, manifest)
        head = stored.head
        if head.dim != manifest.feature_dim:
            raise ModelError(
                f"{self._where(path)} judges {head.dim} features, but its manifest says "
                f"{manifest.feature_dim}; {_ADVICE}"
            )
        return stored

    def manifest(self, product: str, version: str) -> Manifest:
        """The manifest alone, checked.

        Raises:
            ModelError: as for `load`.
        """
        path = f"{checked_name(product)}/{checked_name(version)}/{MANIFEST}"
        data = self._files.read(path, MANIFEST_LIMIT)
        try:
            manifest = Manifest.model_validate_json(data)
        except ValidationError as error:
            raise ModelError(
                f"{self._where(path)} is no manifest of format 1 ({_wrong(data, error)}); if a "
                f"later Linewatch made it, update this one; else {_ADVICE}"
            ) from None
        if manifest.manifest_sha256 != manifest.digest():
            raise ModelError(f"{self._where(path)} was changed after it was saved; {_ADVICE}")
        if (manifest.product, manifest.version) != (product, version):
            raise ModelError(
                f"{self._where(path)} belongs to {manifest.product}/{manifest.version}; {_ADVICE}"
            )
        return manifest

    def versions(self, product: str) -> list[str]:
        """A product's versions, oldest first."""
        return self._files.folders(checked_name(product))

    def exists(self, product: str, version: str) -> bool:
        """Whether a version was saved; says nothing of its health."""
        return self._files.exists(f"{checked_name(product)}/{checked_name(version)}")

    def verify(self, product: str, version: str) -> Manifest:
        """Load a version, only to see that it can be.

        Raises:
            ModelError: as for `load`.
        """
        return self.load(product, version).manifest

    def _parts(self, path: str, data: bytes, manifest: Manifest) -> StoredModel:
        try:
            tensors = load(data)
            novelty = _novelty(tensors, _PREFIX, _MEASURES)
            one_class = _novelty(tensors, _GOOD, (Novelty,))
            memory = _memory(tensors, manifest)
            if set(tensors) != {*_TENSORS}:
                raise ModelError(f"it holds {', '.join(sorted(tensors)) or 'nothing'}")
            head = Head(classes=manifest.classes, converged=manifest.converged, **tensors)
            if novelty is not None and novelty.centres.shape != (len(head.classes), head.dim):
                raise ModelError("its novelty is of other classes or features")
            if novelty is None and manifest.thresholds.novel_above is not None:
                raise ModelError("it cannot measure the distance that its thresholds speak of")
            if one_class is not None and one_class.centres.shape != (1, head.dim):
                raise ModelError("its measure of good parts is of other features")
            if one_class is None and manifest.thresholds.unlike_good_above is not None:
                raise ModelError("it cannot measure how unlike good a part is")
            return StoredModel(head, manifest, novelty, one_class, memory)
        except (ModelError, SafetensorError, ValueError, KeyError) as error:
            # A KeyError: of a type that numpy has not, such as bfloat16.
            raise ModelError(f"{self._where(path)} is no head: {error}; {_ADVICE}") from None

    def _where(self, path: str) -> str:
        return f"{self._files.shown}/{path}"


def _novelty(tensors: dict[str, Any], prefix: str, kinds: Sequence[type[M]]) -> M | None:
    """The measure whose tensors begin with `prefix`, which are taken out; None: there are none."""
    mine = {name: tensors.pop(name) for name in list(tensors) if name.startswith(prefix)}
    if not mine:
        return None
    for kind in kinds:
        names = {prefix + field.name: field.name for field in fields(kind)}
        if names.keys() == mine.keys():
            return kind(**{name: mine[key] for key, name in names.items()})
    raise ModelError(f"it holds {', '.join(sorted(mine))}")


def _memory(tensors: dict[str, Any], manifest: Manifest) -> PatchMemory | None:
    """The memory of patches, whose tensor is taken out; None: there is none."""
    tokens, said = tensors.pop(_PATCHES, None), manifest.patches
    if (tokens is None) != (said is None) or (
        said is None and manifest.thresholds.patches_above is not None
    ):
        raise ModelError("it cannot measure how unlike good a part's patches are")
    return None if tokens is None or said is None else PatchMemory(tokens, said.look)


def _tensors(
    head: Head,
    novelty: AnyNovelty | None,
    one_class: Novelty | None,
    memory: PatchMemory | None,
) -> bytes:
    arrays = {name: getattr(head, name) for name in _TENSORS}
    for prefix, measure in ((_PREFIX, novelty), (_GOOD, one_class)):
        if measure is not None:
            arrays |= {prefix + f.name: getattr(measure, f.name) for f in fields(measure)}
    if memory is not None:
        arrays[_PATCHES] = memory.tokens
    data: bytes = save({name: np.ascontiguousarray(array) for name, array in arrays.items()})
    return data


def _complete(draft: ManifestDraft, head: Head, version: str, data: bytes) -> Manifest:
    try:
        return Manifest(
            **draft.model_dump(),
            version=version,
            classes=head.classes,
            feature_dim=head.dim,
            converged=head.converged,
            libraries=library_versions(),
            head_sha256=_sha256(data),
            head_bytes=len(data),
        ).sealed()
    except ValidationError as error:
        raise ModelError(f"this model cannot be stored: {error.errors()[0]['msg']}") from None


def _wrong(data: bytes, error: ValidationError) -> str:
    """The first thing wrong with a manifest; of an unknown key, with the nearest known one."""
    first = error.errors()[0]
    if first["type"] == "extra_forbidden":
        unknown = without_unknown(Manifest, json.loads(data))[1]
        key = ".".join(map(str, first["loc"]))
        return f"there is no key {next((w for w in unknown if key in w), short(key))}"
    return f"{'.'.join(map(str, first['loc'])) or 'file'}: {first['msg']}"


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
