"""Class scores of pictures: judged again from stored features, since no champion's are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from sqlalchemy import Engine

from console.site import Site
from db.models import versions
from db.models.versions import VersionInfo
from db.review.pictures import Seen, vectors_of
from db.session import reading
from linewatch.errors import ModelError
from model_store.serving.rejudge import rejudge
from model_store.serving.rejudge import vectors_of as rows_of
from model_store.store import ModelStore, StoredModel
from training.stored_model import load


@dataclass(frozen=True, slots=True)
class Judged:
    """What a version says of a picture: classes with their probabilities, most probable first."""

    version: str
    scores: tuple[tuple[str, float], ...]


def judge_again(site: Site, pictures: Sequence[Seen]) -> dict[UUID, Judged]:
    """By the version that judged each.

    Pictures without stored features of that version, or whose model cannot be loaded, are left out.
    """
    found: dict[UUID, Judged] = {}
    for one in pictures:
        info = _version(site.engine, one)
        if info is None:
            continue
        with reading(site.engine) as connection:
            vector = vectors_of(connection, [one.id], info.fingerprint).get(one.id)
        if vector is None:
            continue
        try:
            model = model_of(site, info)
            again = rejudge(model, rows_of([vector]))
        except ModelError:
            continue
        shares = dict(zip(model.head.classes, again.probabilities[0].tolist(), strict=True))
        ordered = sorted(shares.items(), key=lambda item: -item[1])
        found[one.id] = Judged(info.version, tuple(ordered))
    return found


def _version(engine: Engine, one: Seen) -> VersionInfo | None:
    return None if one.model_version is None else versions.get(engine, one.model_version)


def model_of(site: Site, info: VersionInfo) -> StoredModel:
    """A version's model, kept for the next time.

    Raises:
        ModelError: it cannot be loaded.
    """
    return _model(site.settings.models_url, info)


@lru_cache(maxsize=4)
def _model(models_url: str, info: VersionInfo) -> StoredModel:
    return load(ModelStore(models_url), info)


@dataclass(frozen=True, slots=True)
class Again:
    """What another version says of a picture."""

    verdict: str
    defect_class: str | None
    confidence: float | None


def judged_by(
    site: Site, version: str, product: str, pictures: Sequence[UUID]
) -> dict[UUID, Again]:
    """What a version says of pictures whose features of its own are stored.

    Raises:
        ModelError: there is no such version of this product, or it cannot be loaded.
    """
    info = versions.require(site.engine, version)
    if info.product != product:
        raise ModelError(f"model {version} is for {info.product}, not for {product}")
    with reading(site.engine) as connection:
        stored = vectors_of(connection, pictures, info.fingerprint)
    model = model_of(site, info)
    said = rejudge(model, rows_of(list(stored.values()))).judgements
    return {
        id_: Again(str(one.verdict), one.defect_class, one.confidence)
        for id_, one in zip(stored, said, strict=True)
    }
