"""Rows of the database as a part's page shows them, of undecided passes without a model's word."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any
from uuid import UUID

from console.judged import Again
from console.pages.part.shown import PartPass, PartPicture, PartWord, PurgedPicture
from console.pages.review.shown import key_of
from db.parts.dossier import Dossier
from db.review.undecided import JUDGED
from quality.audit.draw import PassName

_WORD = ("verdict", "reason", "detail", "defect_class", "confidence")


def names_of(found: Dossier, product: str) -> list[PassName]:
    """The passes of a part, or the picture without a serial number that it is."""
    named = [_name(row, product) for row in found.passes]
    alone = [row.id for row in found.pictures if not row.part] if not named else []
    return named + [PassName(product, "", str(id_), 1) for id_ in alone]


def _name(row: Any, product: str) -> PassName:
    return PassName(product, row.serial, row.scope, row.pass_number)


def of_kept_back(found: Dossier, product: str, kept: Collection[PassName]) -> frozenset[UUID]:
    """The pictures of undecided passes, by id; where it is not sure of which pass one is, it is."""
    if not kept:
        return frozenset()
    shown = [row for row in found.passes if _name(row, product) not in kept]
    return frozenset(
        row.id for row in found.pictures if not any(_within(one, row) for one in shown)
    )


def _within(pass_: Any, picture: Any) -> bool:
    at = picture.made_at or picture.captured_at or picture.decided_at
    known = pass_.made_at is not None and pass_.last_at is not None
    return bool(known and pass_.made_at <= at <= pass_.last_at)


def pass_of(row: Any, product: str, kept: Collection[PassName]) -> PartPass:
    """A pass."""
    name = _name(row, product)
    hidden = name in kept
    return PartPass(
        key=key_of(name),
        hidden=hidden,
        scope=row.scope,
        pass_number=row.pass_number,
        line=row.line,
        lot=row.lot,
        work_order=row.work_order,
        disposition="" if hidden else row.disposition,
        classes=[] if hidden else _split(row.classes),
        decided_by="" if hidden else row.decided_by,
        why="" if hidden else row.why,
        model_disposition="" if hidden else row.model_disposition,
        model_classes=[] if hidden else _split(row.model_classes),
        model_version=row.model_version,
        views=row.views,
        made_at=row.made_at,
        last_at=row.last_at,
    )


def _split(classes: str) -> list[str]:
    return [code for code in classes.split("+") if code]


def picture_of(row: Any, found: Dossier, again: Again | None, *, hidden: bool) -> PartPicture:
    """A picture."""
    labels = [one for one in found.labels if one.inspection_id == row.id]
    last = labels[-1] if labels and labels[-1].label else None
    hidden = hidden and row.verdict in JUDGED
    said = {name: None if hidden else getattr(row, name) for name in _WORD}
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
        hidden=hidden,
        verdict=said["verdict"] or "",
        reason=said["reason"] or "",
        detail=said["detail"] or "",
        defect_class=said["defect_class"],
        confidence=said["confidence"],
        model_version=row.model_version,
        attempt=row.attempt,
        worker=row.worker or "",
        label=last.label if last else None,
        labelled_by=last.labelled_by if last else "",
        labels=len(labels),
        golden=_sets(found, row.id),
        requeued=row.id in found.requeued,
        shadows=[] if hidden else [f"{one.model_version}: {one.verdict}" for one in shadows],
        again=None if again is None or hidden else again.verdict,
        again_class=None if again is None or hidden else again.defect_class,
    )


def _sets(found: Dossier, picture: UUID) -> list[str]:
    return [one.set_name for one in found.golden if one.inspection_id == picture]


def purged_of(row: Any, *, hidden: bool) -> PurgedPicture:
    """A picture that is gone."""
    return PurgedPicture(
        id=row.id,
        camera=row.camera or "",
        made_at=row.made_at,
        verdict="" if hidden else row.verdict,
        defect_class=None if hidden else row.defect_class,
        model_version=row.model_version,
    )


def words_of(found: Dossier) -> Iterator[PartWord]:
    """What people said."""
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
