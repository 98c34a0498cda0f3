"""Containment: which parts that passed under one model would not pass under another.

A part is judged by those of its pictures that the first model passed: from stored features, or
where these are not kept from the picture itself, if it can be read. A part of which a picture can
be judged in neither way is *unknown*: it is listed, since nobody has shown that it would pass. So
is one that would pass but for the rule of good parts' patches, where the other model never looked
at the picture's places.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol
from uuid import UUID

from db.inspections.passed_part import PassedPart, PassedPicture
from model_store.serving.rejudge import rejudge, vectors_of
from model_store.store import StoredModel
from model_store.verdicts.verdict import Judgement
from producer.contract import Verdict


class Result(StrEnum):
    """What a part would be under the other model."""

    DEFECT = "defect"
    REVIEW = "review"
    UNKNOWN = "unknown"
    PASS = "pass"  # noqa: S105 - a verdict


class Unread(str):
    """Why a picture could not be read."""


class Seen(NamedTuple):
    """What a model judges a picture by.

    Attributes:
        vector: its features, float16, little endian.
        patches: how far its farthest places lie from good parts'; None: nobody looked.
    """

    vector: bytes
    patches: float | None = None


class Pictures(Protocol):
    """Looks at pictures' files again."""

    def seen(self, pictures: Sequence[PassedPicture]) -> Mapping[UUID, Seen | Unread]:
        """Of each picture what the other model judges it by, or why there is nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Contained:
    """A part that would not pass, or of which that is not known.

    Attributes:
        picture: the one that decides it.
        said: of that picture; None where it is unknown.
        why: it is unknown.
    """

    part: PassedPart
    picture: PassedPicture
    result: Result
    said: Judgement | None = None
    why: str = ""


@dataclass(slots=True)
class Containment:
    """Judges parts again, page by page; `counts` says how many came out how.

    `scores` gives how unlike good the other model found pictures at which it has looked.
    """

    against: StoredModel
    pictures: Pictures | None = None
    scores: Callable[[Sequence[UUID]], Mapping[UUID, float]] = lambda ids: {}
    counts: Counter[Result] = field(default_factory=Counter)

    def contained(self, pages: Iterable[Sequence[PassedPart]]) -> Iterator[Contained]:
        """The parts to look at, as soon as their page is judged."""
        for page in pages:
            said, unread = self._judged([one for part in page for one in part.pictures])
            for part in page:
                worst = _worst(part, said, unread)
                self.counts[worst.result] += 1
                if worst.result != Result.PASS:
                    yield worst

    def _judged(
        self, pictures: Sequence[PassedPicture]
    ) -> tuple[dict[UUID, Judgement], dict[UUID, str]]:
        seen, unread = self._stored(pictures)
        if self.pictures is not None:
            files = [one for one in pictures if one.id in unread and not one.purged]
            for id_, made in self.pictures.seen(files).items():
                if isinstance(made, Unread):
                    unread[id_] = made
                else:
                    seen[id_] = made
                    del unread[id_]
        vectors = vectors_of([one.vector for one in seen.values()])
        judged = rejudge(self.against, vectors, [one.patches for one in seen.values()])
        said = dict(zip(seen, judged.judgements, strict=True))
        # Without that rule it is known of a part that it would not pass, never that it would.
        return {i: j for i, j in said.items() if i not in unread or _stops(j)}, unread

    def _stored(
        self, pictures: Sequence[PassedPicture]
    ) -> tuple[dict[UUID, Seen], dict[UUID, str]]:
        """What is stored of pictures, and what of it does not suffice to judge one, and why."""
        ids = [one.id for one in pictures if one.vector is not None]
        scores = self.scores(ids) if self.against.memory is not None else {}
        seen = {o.id: Seen(o.vector, scores.get(o.id)) for o in pictures if o.vector is not None}
        bare = [one for one in pictures if one.vector is None]
        unread = {one.id: "purged" if one.purged else "no features are stored" for one in bare}
        if self.against.memory is not None:
            unread |= {i: "its places were not looked at" for i in ids if i not in scores}
        return seen, unread


def _stops(judgement: Judgement) -> bool:
    return judgement.verdict is not Verdict.PASS


_ORDER = (Result.DEFECT, Result.REVIEW, Result.UNKNOWN, Result.PASS)
_RESULTS = {Verdict.DEFECT: Result.DEFECT, Verdict.PASS: Result.PASS}


def _worst(
    part: PassedPart, said: Mapping[UUID, Judgement], unread: Mapping[UUID, str]
) -> Contained:
    found = []
    for picture in part.pictures:
        judgement = said.get(picture.id)
        if judgement is None:
            why = unread[picture.id]
            found.append(Contained(part, picture, Result.UNKNOWN, None, why))
        else:
            result = _RESULTS.get(judgement.verdict, Result.REVIEW)
            found.append(Contained(part, picture, result, judgement))
    return min(found, key=lambda one: _ORDER.index(one.result))
