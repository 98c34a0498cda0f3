"""All that is known of a serial number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query

from console.access.roles import Role
from console.judged import Again, judged_by
from console.page import Page, Visit
from console.pages.part.shown import PartPage, PartPass, PartPicture, PartWord, PurgedPicture
from console.refusals import NotThere
from db.models import versions
from db.parts.dossier import Dossier, dossier
from db.session import reading

_VERSIONS = 30  # newest ones that are offered


@dataclass(frozen=True)
class PartQuery:
    """Which part."""

    product: Annotated[str, Path(description="Whose part.")]
    part: Annotated[str, Path(description="Its serial number, or the id of a picture without.")]
    replay: Annotated[str, Query(description="A version that is to judge it again.")] = ""


def read(visit: Visit, query: PartQuery) -> PartPage:
    """The part.

    Raises:
        NotThere: nothing is known of it.
        ModelError: the version that is to judge again does not exist or cannot be loaded.
    """
    engine = visit.site.engine
    with reading(engine) as connection:
        found = dossier(connection, query.product, query.part)
    if not found.known:
        raise NotThere(f"{query.product} has no part {query.part[:80]!r} on record")
    offered = [one.version for one in versions.versions(engine, query.product)[:_VERSIONS]]
    ids = [one.id for one in found.pictures]
    again = judged_by(visit.site, query.replay, query.product, ids) if query.replay else {}
    return PartPage(
        product=query.product,
        part=query.part,
        serialised=any(one.part for one in found.pictures) or not found.pictures,
        passes=[_pass(row) for row in found.passes],
        pictures=[_picture(row, found, again.get(row.id)) for row in found.pictures],
        purged=[_purged(row) for row in found.purged],
        words=sorted(_words(found), key=lambda one: one.at),
        features=found.features,
        versions=offered,
        replay=query.replay,
    )


def _pass(row: Any) -> PartPass:
    return PartPass(
        scope=row.scope,
        pass_number=row.pass_number,
        line=row.line,
        lot=row.lot,
        work_order=row.work_order,
        disposition=row.disposition,
        classes=_split(row.classes),
        decided_by=row.decided_by,
        why=row.why,
        model_disposition=row.model_disposition,
        model_classes=_split(row.model_classes),
        model_version=row.model_version,
        views=row.views,
        made_at=row.made_at,
        last_at=row.last_at,
    )


def _split(classes: str) -> list[str]:
    return [code for code in classes.split("+") if code]


def _picture(row: Any, found: Dossier, again: Again | None) -> PartPicture:
    labels = [one.label for one in found.labels if one.inspection_id == row.id]
    shadows = [one for one in found.shadows if one.inspection_id == row.id]
    return PartPicture(
        id=row.id,
        camera=row.camera or "",
        pass_number=row.pass_number,
        stored=row.image_uri is not None,
        uri=row.image_uri,
        made_at=row.made_at or row.captured_at or row.decided_at,
        enqueued_at=row.enqueued_at,
        decided_at=row.decided_at,
        verdict=row.verdict,
        reason=row.reason or "",
        detail=row.detail or "",
        defect_class=row.defect_class,
        confidence=row.confidence,
        model_version=row.model_version,
        attempt=row.attempt,
        worker=row.worker or "",
        label=(labels[-1] or None) if labels else None,
        golden=_sets(found, row.id),
        requeued=row.id in found.requeued,
        shadows=[f"{one.model_version}: {one.verdict}" for one in shadows],
        again=None if again is None else again.verdict,
        again_class=None if again is None else again.defect_class,
    )


def _sets(found: Dossier, picture: UUID) -> list[str]:
    return [one.set_name for one in found.golden if one.inspection_id == picture]


def _purged(row: Any) -> PurgedPicture:
    return PurgedPicture(
        id=row.id,
        camera=row.camera or "",
        made_at=row.made_at,
        verdict=row.verdict,
        defect_class=row.defect_class,
        model_version=row.model_version,
    )


def _words(found: Dossier) -> Iterator[PartWord]:
    for row in found.decisions:
        said = "" if row.disposition == "open" else row.defect_class or row.disposition
        yield PartWord(
            at=row.decided_at,
            recorded_at=row.recorded_at,
            by=row.decided_by,
            kind="decision",
            said=said,
            source=row.source,
            why=row.why,
            picture=None,
            pass_number=row.pass_number,
        )
    for row in found.labels:
        yield PartWord(
            at=row.labelled_at,
            recorded_at=row.recorded_at,
            by=row.labelled_by,
            kind="label",
            said=row.label,
            source=row.source,
            why=row.note,
            picture=row.inspection_id,
            pass_number=None,
        )


PAGE = Page(
    name="part",
    path="/parts/{product}/{part:path}",
    title="Part",
    role=Role.VIEWER,
    query=PartQuery,
    context=PartPage,
    read=read,
    template="part/page.html",
)
