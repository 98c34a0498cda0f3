"""Containment: which parts that passed under one model would not pass under another.

A part is judged by those of its pictures that the first model passed: from stored features, or
where these are not kept from the picture itself, if it can be read. A part of which a picture can
be judged in neither way is *unknown*: it is listed, since nobody has shown that it would pass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol
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


class Pictures(Protocol):
    """Makes features of pictures' files."""

    def vectors(self, pictures: Sequence[PassedPicture]) -> Mapping[UUID, bytes | Unread]:
        """Of each picture its vector (float16, little endian), or why there is none."""
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
    """Judges parts again, page by page; `counts` says how many came out how."""

    against: StoredModel
    pictures: Pictures | None = None
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
        vectors = {one.id: one.vector for one in pictures if one.vector is not None}
        bare = [one for one in pictures if one.vector is None]
        unread = {one.id: "purged" if one.purged else "no features are stored" for one in bare}
        if self.pictures is not None:
            files = [one for one in bare if not one.purged]
            for id_, made in self.pictures.vectors(files).items():
                if isinstance(made, Unread):
                    unread[id_] = made
                else:
                    vectors[id_] = made
        judgements = rejudge(self.against, vectors_of(list(vectors.values()))).judgements
        return dict(zip(vectors, judgements, strict=True)), unread


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
