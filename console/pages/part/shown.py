"""What a part's page shows."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from console.page import Context
from console.pages.review.shown import ReviewClass


class PartPass(Context):
    """One trip past the cameras."""

    key: str = Field(description="Names it, as the review page has it.")
    hidden: bool = Field(
        description="Who asks may decide it, and nobody has: what the model said is left out."
    )
    scope: str = Field(description="The lot or day that the serial number is unique in; '': all.")
    pass_number: int = Field(description="From 1; later ones are re-inspections.")
    line: str = Field(description="That made it.")
    lot: str = Field(description="It belongs to.")
    work_order: str = Field(description="It was made for.")
    disposition: str = Field(description="conforming, nonconforming or open; '' where hidden.")
    classes: list[str] = Field(description="Defect classes, where it is nonconforming.")
    decided_by: str = Field(description="model or person; '' while it is open.")
    why: str = Field(description="It is open: review, rejected or incomplete.")
    model_disposition: str = Field(description="What it would be if people had said nothing.")
    model_classes: list[str] = Field(description="Likewise.")
    model_version: str = Field(description="That judged it.")
    views: int = Field(description="How many pictures it has.")
    made_at: datetime | None = Field(description="When the first was taken.")
    last_at: datetime | None = Field(description="When the last was taken.")


class PartPicture(Context):
    """A picture, and what its camera was told."""

    id: UUID = Field(description="The picture lies under /pictures/ID.")
    camera: str = Field(description="That took it.")
    pass_number: int | None = Field(description="As its message said; None: it did not say.")
    stored: bool = Field(description="Whether its file is on record; else it was purged.")
    hidden: bool = Field(description="What the model said of it is left out, as of its pass.")
    uri: str | None = Field(description="Where its file lies.")
    made_at: datetime = Field(description="When it was taken, as far as that is believed.")
    enqueued_at: datetime | None = Field(description="When its message was sent.")
    decided_at: datetime = Field(description="When the verdict fell.")
    verdict: str = Field(
        description="As its receipt says: pass, defect, review, rejected …; '' where hidden."
    )
    reason: str = Field(description="As its receipt says.")
    detail: str = Field(description="The reason in words.")
    defect_class: str | None = Field(description="The model's first choice.")
    confidence: float | None = Field(description="Of that choice, 0 to 1.")
    model_version: str | None = Field(description="That judged it.")
    attempt: int = Field(description="How often its message was delivered by then.")
    worker: str = Field(description="That judged it.")
    label: str | None = Field(description="The label that holds; None: nobody labelled it.")
    labelled_by: str = Field(description="Who gave it; '' likewise.")
    labels: int = Field(description="How many labels it was given; who gives another names this.")
    golden: list[str] = Field(description="Golden sets that hold it.")
    requeued: bool = Field(description="Whether it was sent again and waits for a new verdict.")
    shadows: list[str] = Field(description="What shadows would have said: version and verdict.")
    again: str | None = Field(description="The verdict of the version that judges it again.")
    again_class: str | None = Field(description="Likewise its first choice.")


class PurgedPicture(Context):
    """What is kept of a picture that was purged."""

    id: UUID = Field(description="Its id was this.")
    camera: str = Field(description="That took it.")
    made_at: datetime = Field(description="When it was taken.")
    verdict: str = Field(description="It had.")
    defect_class: str | None = Field(description="It had.")
    model_version: str | None = Field(description="That judged it.")


class PartWord(Context):
    """What a person said."""

    at: datetime = Field(description="When it was said.")
    recorded_at: datetime = Field(description="When it came here.")
    by: str = Field(description="Who said it.")
    kind: str = Field(description="`decision` on the part, or `label` on a picture.")
    said: str = Field(description="A class, or `conforming`; '' takes back what was said before.")
    source: str = Field(description="How it came here: review, command, audit, csv …")
    why: str = Field(description="The reason that was given.")
    picture: UUID | None = Field(description="That was labelled.")
    pass_number: int | None = Field(description="That was decided; None: nobody said.")


class PartPage(Context):
    """All that is known of a part."""

    product: str = Field(description="Whose part it is.")
    part: str = Field(description="Its serial number, or its picture's id.")
    serialised: bool = Field(description="Whether it has a serial number.")
    to_decide: str = Field(description="The key of a pass that is to be decided; '': none is.")
    passes: list[PartPass] = Field(description="In the order in which they began.")
    pictures: list[PartPicture] = Field(description="In the order in which they were taken.")
    purged: list[PurgedPicture] = Field(description="Pictures that are gone.")
    words: list[PartWord] = Field(description="What people said, in order of time.")
    features: int = Field(description="Of how many pictures the features are stored.")
    versions: list[str] = Field(description="Versions of the product that can judge it again.")
    replay: str = Field(description="The version that judges it again; '': none.")
    classes: list[ReviewClass] = Field(description="Of its product, to label a picture with.")
    class_count: int = Field(description="How many there are; 0: who asks may not label.")
