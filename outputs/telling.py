"""From the outbox's entries to what one receiver is told. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from db.outbox.entries import Entry, PartKey
from db.outbox.facts import PartFact, PictureFact, Told
from outputs.camera_time import CameraTime
from outputs.result import Result
from producer.contract import Verdict
from quality.parts.disposition import Disposition, Why

NO_VERDICT = "no_verdict"
_IDS = uuid5(NAMESPACE_URL, "linewatch:outputs")


@dataclass(frozen=True, slots=True)
class Facts:
    """What the database knows now of what the entries name.

    Attributes:
        parts: passes by (product, serial); pictures without a serial by ('', id).
        told: what this receiver was told of parts before.
    """

    pictures: Mapping[UUID, PictureFact]
    parts: Mapping[tuple[str, str], Sequence[PartFact]] = field(default_factory=dict)
    told: Mapping[PartKey, Told] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Telling:
    """A result, and what is to be remembered of it once the receiver has it."""

    result: Result
    key: PartKey | None = None
    told: Told | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """What is the same for all that a receiver is told.

    Attributes:
        deadline: after a part was captured; None: there is none.
        cameras: by how much its cameras' clocks are off.
    """

    name: str
    site: str = ""
    deadline: timedelta | None = None
    cameras: CameraTime = field(default_factory=CameraTime)


def tellings(
    line: Line, level: str, entries: Sequence[Entry], facts: Facts, now: datetime
) -> Iterator[Telling]:
    """What these entries tell a receiver: at most one result each, in their order.

    A part is told once it is complete: as soon as a view shows a defect, or when all of its views
    are there, see `quality.parts.disposition.by_views`. It is told again when it is
    something else than was told. What was purged is not told.

    Args:
        level: `part` or `picture`.
        now: what had to be told before it is late.
    """
    told = dict(facts.told)
    for entry in entries:
        if level == "picture":
            one = _of_picture(line, entry, facts, now)
        else:
            one = _of_part(line, entry, facts, told, now)
        if one is not None:
            yield one
            if one.key is not None and one.told is not None:
                told[one.key] = one.told


def _of_picture(line: Line, entry: Entry, facts: Facts, now: datetime) -> Telling | None:
    if entry.picture is None or (picture := facts.pictures.get(entry.picture)) is None:
        return None
    return Telling(_picture_result(line, entry, picture, now))


def _of_part(
    line: Line, entry: Entry, facts: Facts, told: Mapping[PartKey, Told], now: datetime
) -> Telling | None:
    if entry.picture is None:
        part = _named(entry, facts)
        return None if part is None else _part_telling(line, entry, part, None, told, now)
    picture = facts.pictures.get(entry.picture)
    if picture is None:
        return None
    part = _pass_of(picture, facts)
    if part is None:  # it has no serial, or is a challenge's, which are counted apart
        return Telling(_picture_result(line, entry, picture, now))
    return _part_telling(line, entry, part, picture, told, now)


def _named(entry: Entry, facts: Facts) -> PartFact | None:
    key = entry.part
    if key is None:
        return None
    passes = facts.parts.get((key.product, key.serial) if key.serial else ("", key.scope), ())
    return next((part for part in passes if part.key == key), None)


def _pass_of(picture: PictureFact, facts: Facts) -> PartFact | None:
    """The pass that a picture is of: the latest that was going on when it was made."""
    if not picture.serial:
        return next(iter(facts.parts.get(("", str(picture.id)), ())), None)
    found = [
        (part.made_at, part.key, part)
        for part in facts.parts.get((picture.product, picture.serial), ())
        if part.made_at is not None
        and part.last_at is not None
        and part.made_at <= picture.made_at <= part.last_at
        and picture.pass_number in (None, part.key.pass_number)
    ]
    return max(found)[2] if found else None


def _part_telling(
    line: Line,
    entry: Entry,
    part: PartFact,
    picture: PictureFact | None,
    told: Mapping[PartKey, Told],
    now: datetime,
) -> Telling | None:
    before = told.get(part.key)
    overdue = entry.kind == "overdue"
    said = NO_VERDICT if overdue else _said(part)
    if overdue and before is not None:
        return None  # it came meanwhile
    if not overdue and (part.why == Why.INCOMPLETE or (before and before.said == said)):
        return None
    # A picture without a serial was told by its own entry, of which nothing is kept.
    first = 1 if part.key.serial or picture is not None else 2
    revision = before.revision + 1 if before else first
    was_overdue = overdue or (before is not None and before.overdue)
    ahead = _ahead(line, part, picture.camera if picture and part.views == 1 else None)
    late = not overdue and (was_overdue or _is_late(line, part, ahead, now))
    result = _part_result(line, entry, part, picture, said, revision, late, ahead)
    return Telling(result, part.key, Told(revision, said, was_overdue))


def _said(part: PartFact) -> str:
    return ":".join((part.disposition, "+".join(part.classes), part.why))


def _part_result(
    line: Line,
    entry: Entry,
    part: PartFact,
    picture: PictureFact | None,
    said: str,
    revision: int,
    late: bool,
    ahead: timedelta,
) -> Result:
    key, no_verdict = part.key, said == NO_VERDICT
    alone = picture if part.views == 1 else None
    return Result(
        id=_id(line, entry, key, said, revision),
        sequence=entry.sequence,
        line=line.name,
        site=line.site or (picture.site if picture else ""),
        product=key.product,
        part=key.serial or None,
        pass_number=key.pass_number,
        picture=alone.id if alone else None,
        camera=alone.camera if alone else None,
        views=part.views,
        disposition=Disposition.OPEN if no_verdict else Disposition(part.disposition),
        classes=() if no_verdict else part.classes,
        decided_by="" if no_verdict else part.decided_by,
        why=Why.INCOMPLETE if no_verdict else part.why,
        reason=alone.reason if alone else "",
        model_version=part.model_version,
        confidence=alone.confidence if alone else None,
        revision=revision,
        no_verdict=no_verdict,
        late=late,
        captured_at=part.made_at,
        committed_at=entry.written_at,
        deadline=_deadline(line, part, ahead),
        clock_ahead=ahead,
    )


def _picture_result(line: Line, entry: Entry, picture: PictureFact, now: datetime) -> Result:
    disposition, why = _judged(picture.verdict)
    ahead = _ahead(line, picture, picture.camera)
    return Result(
        id=_id(line, entry, picture.id, picture.verdict, 1),
        sequence=entry.sequence,
        line=line.name,
        site=line.site or picture.site,
        product=picture.product,
        part=picture.serial or None,
        pass_number=picture.pass_number or 1,
        picture=picture.id,
        camera=picture.camera,
        disposition=disposition,
        classes=(picture.defect_class or "",) if disposition is Disposition.NONCONFORMING else (),
        decided_by="" if disposition is Disposition.OPEN else "model",
        why=why,
        reason=picture.reason,
        model_version=picture.model_version,
        confidence=picture.confidence,
        late=_is_late(line, picture, ahead, now),
        captured_at=picture.made_at,
        committed_at=entry.written_at,
        deadline=_deadline(line, picture, ahead),
        clock_ahead=ahead,
    )


def _judged(verdict: str) -> tuple[Disposition, str]:
    if verdict == Verdict.PASS:
        return Disposition.CONFORMING, ""
    if verdict == Verdict.DEFECT:
        return Disposition.NONCONFORMING, ""
    return Disposition.OPEN, Why.REVIEW if verdict == Verdict.REVIEW else Why.REJECTED


def _ahead(line: Line, fact: PartFact | PictureFact, camera: str | None) -> timedelta:
    """How far the clock that says when it was made is ahead of the database's."""
    return timedelta() if fact.by_receipt else line.cameras.ahead(line.name, camera)


def _deadline(line: Line, fact: PartFact | PictureFact, ahead: timedelta) -> datetime | None:
    """By the database's clock."""
    if line.deadline is None or fact.made_at is None:
        return None
    return fact.made_at - ahead + line.deadline


def _is_late(line: Line, fact: PartFact | PictureFact, ahead: timedelta, now: datetime) -> bool:
    deadline = _deadline(line, fact, ahead)
    return deadline is not None and now > deadline


def _id(line: Line, entry: Entry, what: object, said: str, revision: int) -> UUID:
    """The same for the same thing: what it says is in it, so what changed is another."""
    return uuid5(_IDS, f"{line.name}\n{entry.sequence}\n{what}\n{said}\n{revision}")
