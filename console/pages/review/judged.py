"""Class scores of pictures: judged again from stored features, since no champion's are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from sqlalchemy import Connection, Engine

from console.site import Site
from db.models import versions
from db.models.versions import VersionInfo
from db.review.pictures import Seen, vectors_of
from db.session import reading
from linewatch.errors import ModelError
from model_store.rejudge import rejudge
from model_store.rejudge import vectors_of as rows_of
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
            model = _model(site.settings.models_url, info)
            again = rejudge(model, rows_of([vector]))
        except ModelError:
            continue
        shares = dict(zip(model.head.classes, again.probabilities[0].tolist(), strict=True))
        ordered = sorted(shares.items(), key=lambda item: -item[1])
        found[one.id] = Judged(info.version, tuple(ordered))
    return found


def _version(engine: Engine, one: Seen) -> VersionInfo | None:
    return None if one.model_version is None else versions.get(engine, one.model_version)


@lru_cache(maxsize=4)
def _model(models_url: str, info: VersionInfo) -> StoredModel:
    return load(ModelStore(models_url), info)


def map_of(connection: Connection, picture: UUID) -> list[list[float]] | None:
    """Where the model looked in a picture, rows of 0 to 1 from the top; None where none is stored.

    No table holds such maps yet; the page draws what this gives.
    """
    return None
