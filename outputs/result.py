"""What a receiver is told. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from quality.parts.disposition import Disposition


class Word(StrEnum):
    """A result in one word."""

    OK = "ok"
    NG = "ng"
    OPEN = "open"  # a person must look; a gate treats it as `ng`
    NO_VERDICT = "no_verdict"  # none came in time; a gate treats it as `ng`


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A part's verdict, or a picture's, as a line is told it.

    Attributes:
        id: of what is told. Something that comes again has the same; what changed has another.
        sequence: 1 to 2**53, rises along a line, with gaps; a repeat has the same.
        line: as its camera names it.
        site: the plant; '' where neither the file of outputs nor the message says.
        product: '' where the message could not be read.
        part: the serial number; None where there is none.
        pass_number: of the part through the line, from 1.
        picture: None where more than one view, or none, says it.
        camera: of that picture.
        views: how many pictures of the part there are.
        disposition: what is known of the part; `OPEN` if `no_verdict`.
        classes: defect classes, sorted; empty unless nonconforming.
        decided_by: `model`, `person`, or '' while it is open.
        why: it is open: `review`, `rejected`, `incomplete`; '' else.
        reason: the picture's code, see `producer.contract.Reason`; '' else.
        model_version: '' where no model had a say.
        confidence: of a picture's verdict.
        revision: 1 at first, more where the same part was told otherwise before.
        no_verdict: none came by the deadline.
        late: it was committed after the deadline, or after `no_verdict` was told.
        captured_at: of the first picture, by the camera's clock.
        committed_at: of what is told, by the database's clock.
        deadline: by when the line had to be told, by the database's clock; None: there is none.
        clock_ahead: how far the camera's clock is ahead of the database's, as far as is known; for
            figures, receivers are not told.
    """

    id: UUID
    sequence: int
    line: str
    site: str = ""
    product: str
    part: str | None = None
    pass_number: int = 1
    picture: UUID | None = None
    camera: str | None = None
    views: int = 1
    disposition: Disposition
    classes: tuple[str, ...] = ()
    decided_by: str = ""
    why: str = ""
    reason: str = ""
    model_version: str = ""
    confidence: float | None = None
    revision: int = 1
    no_verdict: bool = False
    late: bool = False
    captured_at: datetime | None = None
    committed_at: datetime
    deadline: datetime | None = None
    clock_ahead: timedelta = timedelta()

    @property
    def word(self) -> Word:
        """The result in one word, whether it is late or not."""
        if self.no_verdict:
            return Word.NO_VERDICT
        if self.disposition is Disposition.CONFORMING:
            return Word.OK
        return Word.NG if self.disposition is Disposition.NONCONFORMING else Word.OPEN

    @property
    def passes(self) -> bool:
        """Whether a gate lets the part through; else it fails to safe.

        Only a good part passes, by the model's word, told in time and for the first time. What is
        something else now, or was decided by a person, is of a part that the gate has dealt with.
        """
        first = self.revision == 1 and self.decided_by != "person"
        return self.word is Word.OK and not self.late and first

    def as_json(self) -> Mapping[str, Any]:
        """What every receiver of JSON is given; fields without a value are left out."""
        named = {
            "version": 1,
            "id": str(self.id),
            "sequence": self.sequence,
            "site": self.site,
            "line": self.line,
            "product": self.product,
            "part": self.part,
            "pass": self.pass_number,
            "picture": None if self.picture is None else str(self.picture),
            "camera": self.camera,
            "views": self.views,
            "result": str(self.word),
            "passes": self.passes,
            "disposition": str(self.disposition),
            "classes": list(self.classes),
            "decided_by": self.decided_by,
            "why": self.why,
            "reason": self.reason,
            "model": self.model_version,
            "confidence": self.confidence,
            "revision": self.revision,
            "no_verdict": self.no_verdict,
            "late": self.late,
            "captured_at": _instant(self.captured_at),
            "committed_at": _instant(self.committed_at),
            "deadline": _instant(self.deadline),
        }
        return {name: value for name, value in named.items() if value not in (None, "", [])}


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
