"""An inspection as the API shows it."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import Field

from console.page import Context
from console.refusals import NotThere
from db.inspections.listed import After
from db.inspections.records import InspectionRecord


class Inspection(Context):
    """A picture and how it ended."""

    id: UUID = Field(description="The picture's.")
    state: Literal["waiting", "done"] = Field(
        description="waiting: accepted here, and no worker has said how it ended."
    )
    hidden: bool = Field(
        default=False,
        description="A person asks who may decide its part, and nobody has: what the model said is "
        "left out. Keys of systems are told.",
    )
    verdict: str | None = Field(
        default=None, description="pass, defect, review, rejected or dead_letter."
    )
    defect_class: str | None = Field(default=None, description="The model's first choice.")
    confidence: float | None = Field(default=None, description="Its probability, 0 to 1.")
    reason: str | None = Field(default=None, description="Why it is not judged or a person looks.")
    detail: str | None = Field(default=None, description="The reason in words.")
    model_version: str | None = Field(default=None, description="The model that judged it.")
    product: str | None = Field(default=None, description="What it shows.")
    line: str | None = Field(default=None, description="Where it was taken.")
    camera: str | None = Field(default=None, description="By which camera.")
    part: str | None = Field(default=None, description="The part's serial number.")
    lot: str | None = Field(default=None, description="The lot it belongs to.")
    pass_number: int | None = Field(default=None, description="The part's pass through the line.")
    captured_at: datetime | None = Field(default=None, description="When it was taken.")
    decided_at: datetime | None = Field(default=None, description="When the verdict was stored.")
    sha256: str | None = Field(default=None, description="Of the picture's file.")

    def without_word(self) -> Self:
        """The same, but for what a model said of it."""
        said = ("verdict", "defect_class", "confidence", "reason", "detail")
        return self.model_copy(update={"hidden": True, **dict.fromkeys(said)})

    @classmethod
    def of(cls, record: InspectionRecord) -> Self:
        """A stored one."""
        same = ("id", "verdict", "defect_class", "confidence", "reason", "detail", "model_version")
        more = ("product", "line", "camera", "part", "lot", "pass_number", "captured_at")
        fields = {name: getattr(record, name) for name in (*same, *more, "decided_at")}
        return cls(state="done", sha256=record.image_sha256, **fields)


class Inspections(Context):
    """A page of inspections, newest first."""

    inspections: list[Inspection] = Field(description="Newest first.")
    next: str | None = Field(description="What `after` is for the next page; none on the last.")


def cursor(last: Inspection) -> str:
    """What `after` says to go on behind `last`; opaque to others."""
    assert last.decided_at is not None
    return base64.urlsafe_b64encode(str(After(last.decided_at, last.id)).encode()).decode()


def after(text: str) -> After:
    """What a cursor says.

    Raises:
        NotThere: it is none of ours.
    """
    try:
        return After.read(base64.urlsafe_b64decode(text.encode()).decode())
    except ValueError:  # what is no base64 or no text, too
        raise NotThere("`after` is no cursor of an earlier answer's `next`") from None
