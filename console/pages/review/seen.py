"""What a model said of a part, and what it is like: only once a person has decided it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import numpy as np
from fastapi import Query
from sqlalchemy import Connection

from console.access.roles import Role
from console.judged import Judged, judge_again
from console.page import Page, Visit
from console.pages.review.queue import worst_of
from console.pages.review.seen_shown import Neighbour, Score, SeenMap, SeenPart, SeenPicture
from console.pages.review.shown import key_of, name_of
from console.refusals import NotThere
from db.inspections.unlike_maps import map_of
from db.models import deployments, versions
from db.parts.model_word import model_word
from db.review.neighbours import labelled_vectors
from db.review.pictures import Seen, pictures_of, vectors_of
from db.review.undecided import undecided
from db.review.waiting import part_of
from db.session import reading
from quality.arrays import Floats

_NEAREST = 6


@dataclass(frozen=True)
class SeenQuery:
    """Which part."""

    part: Annotated[str, Query(description="Its key, as the review page has it.")]


def read(visit: Visit, query: SeenQuery) -> SeenPart:
    """The part.

    Raises:
        NotThere: there is none, or nobody has decided it: then the model's word stays hidden.
    """
    name, engine = name_of(query.part), visit.site.engine
    with reading(engine) as connection:
        part = part_of(connection, name)
        if part is None:
            raise NotThere("there is no such part any more")
        if undecided(connection, [name]):
            raise NotThere("nobody has decided this part yet: what the model said is not shown")
        word = model_word(connection, name)
        pictures = pictures_of(connection, [part])[name]
    judged = judge_again(visit.site, pictures)
    with reading(engine) as connection:
        neighbours = _neighbours(visit, connection, name.product, pictures)
        maps = {one.id: _map(connection, one.id) for one in pictures}
    return SeenPart(
        key=key_of(name),
        disposition=word.disposition,
        classes=[code for code in word.classes.split("+") if code],
        pictures=[_picture(one, judged, maps) for one in pictures],
        neighbours=neighbours,
    )


def _picture(
    one: Seen, judged: Mapping[UUID, Judged], maps: Mapping[UUID, SeenMap | None]
) -> SeenPicture:
    again = judged.get(one.id)
    return SeenPicture(
        id=one.id,
        camera=one.camera,
        verdict=one.verdict,
        reason=one.reason,
        defect_class=one.defect_class,
        confidence=one.confidence,
        model_version=one.model_version,
        scores=[Score(code=code, probability=p) for code, p in again.scores] if again else [],
        scores_by=again.version if again else None,
        map=maps[one.id],
    )


def _map(connection: Connection, picture: UUID) -> SeenMap | None:
    found = map_of(connection, picture)
    if found is None:
        return None
    return SeenMap(
        version=found.version,
        score=found.score,
        border=found.border,
        places=[[round(float(place), 4) for place in row] for row in found.places],
        box=found.box,
    )


def _neighbours(
    visit: Visit, connection: Connection, product: str, pictures: Sequence[Seen]
) -> list[Neighbour]:
    worst, engine = worst_of(pictures), visit.site.engine
    version = deployments.champion(engine, product)
    info = None if version is None else versions.get(engine, version)
    if worst is None or info is None:
        return []
    mine = vectors_of(connection, [worst.id], info.fingerprint).get(worst.id)
    if mine is None:
        return []
    own = {one.id for one in pictures}
    known = [
        one
        for one in labelled_vectors(connection, product, info.fingerprint)
        if one.id not in own and len(one.vector) == len(mine)
    ]
    likeness = _likeness([mine, *(one.vector for one in known)])
    nearest = np.argsort(-likeness, kind="stable")[:_NEAREST]
    return [
        Neighbour(id=known[n].id, label=known[n].label, likeness=float(likeness[n]))
        for n in nearest
    ]


def _likeness(vectors: Sequence[bytes]) -> Floats:
    """[n - 1] cosines of the first with each other one."""
    rows = np.frombuffer(b"".join(vectors), "<f2").reshape(len(vectors), -1).astype(np.float64)
    lengths = np.linalg.norm(rows, axis=1)
    cosines: Floats = rows[1:] @ rows[0] / np.maximum(lengths[1:] * lengths[0], 1e-12)
    return cosines


PAGE = Page(
    name="review-seen",
    path="/review/seen",
    title="What the model said",
    role=Role.INSPECTOR,
    query=SeenQuery,
    context=SeenPart,
    read=read,
    template="review_seen/page.html",
)
