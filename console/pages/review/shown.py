"""What the review page shows: nothing that tells what a model said of a part that is undecided."""

from __future__ import annotations

import json
from datetime import datetime
from uuid import UUID

from pydantic import Field

from console.page import Context
from console.refusals import NotThere
from quality.audit.draw import PassName


class ReviewPicture(Context):
    """A view of a part."""

    id: UUID = Field(description="Of the inspection; the picture lies under /pictures/ID.")
    camera: str = Field(description="That took it; '' where nobody said.")
    stored: bool = Field(description="Whether its file is on record; else it was purged.")


class ReviewPart(Context):
    """A part to decide. Whether it is open or of the audit sample cannot be told from it."""

    key: str = Field(description="Names it in addresses and forms.")
    product: str = Field(description="Whose part it is.")
    part: str = Field(description="Its serial number; '' where it has none.")
    pass_number: int = Field(description="Which trip past the cameras, from 1.")
    line: str = Field(description="That made it; '' where nobody said.")
    lot: str = Field(description="It belongs to; '' where nobody said.")
    made_at: datetime | None = Field(description="When its first picture was taken.")
    revision: str = Field(description="Of what people said; a decision must name it.")
    pictures: list[ReviewPicture] = Field(
        description="Its views, by camera, so that each has its place."
    )


class ReviewClass(Context):
    """A class to decide for."""

    code: str = Field(description="As the product file has it.")
    good: bool = Field(description="Whether a part of it conforms.")
    key: str = Field(description="The key that decides for it, unless the browser has another.")


class ViewLabel(Context):
    """A picture of a part, and the label that holds for it."""

    id: UUID = Field(description="Of the picture.")
    product: str = Field(description="What it shows.")
    camera: str = Field(description="That took it; '' where nobody said.")
    label: str = Field(description="Its class; '' where nobody labelled it.")
    by: str = Field(description="Who said so.")
    given: int = Field(description="How many labels it was given; who gives another names this.")


class ReviewProduct(Context):
    """A product with open parts."""

    code: str = Field(description="Its code.")
    open: int = Field(description="How many of its parts are open.")


class Done(Context):
    """What came of the last decision in this browser."""

    key: str = Field(description="Of the part.")
    part: str = Field(description="Its serial number, or its picture's id.")
    said: str = Field(description="The class; '' where it was taken back.")
    revision: str = Field(description="Of the part now; to take the decision back.")
    labels: int = Field(description="How many of its pictures were labelled with it.")
    pictures: int = Field(description="How many pictures it has.")
    golden: str = Field(default="", description="What came of calling it golden, in words.")
    views: list[ViewLabel] = Field(description="Its pictures with their labels, by camera.")


class Review(Context):
    """The parts that wait for a person, the most useful first, the audit sample among them."""

    product: str = Field(description="Whose parts are shown; '' where no product is registered.")
    products: list[ReviewProduct] = Field(description="Registered ones, most open parts first.")
    classes: list[ReviewClass] = Field(
        description="Of the product, in its order; of more than 30 those said most and last: "
        "/api/v1/classes finds the others."
    )
    class_count: int = Field(description="How many the product has.")
    line: str = Field(description="Only parts of this line; '': of all.")
    lot: str = Field(description="Only parts of this lot; '': of all.")
    queue: str = Field(description="`open`, or `golden`: parts that want a second person.")
    open: int = Field(description="Open parts of the product, re-inspections with them.")
    decided: int = Field(description="First passes of the last day that are decided.")
    rate: float | None = Field(description="Of these, the share that is nonconforming.")
    by_person: int = Field(description="Of these, those that people decided.")
    parts: list[ReviewPart] = Field(description="The next ones; the first is to be decided.")
    done: Done | None = Field(default=None, description="The last decision, where there is one.")
    problem: str | None = Field(default=None, description="Why the last one was not stored.")


def key_of(name: PassName) -> str:
    """A part's name as addresses and forms have it."""
    return json.dumps(list(name), ensure_ascii=False, separators=(",", ":"))


def name_of(key: str) -> PassName:
    """The part that a key names.

    Raises:
        NotThere: it is no such key.
    """
    try:
        product, serial, scope, number = json.loads(key)
    except (ValueError, TypeError):
        raise NotThere(f"{key[:80]!r} names no part") from None
    texts = all(isinstance(text, str) for text in (product, serial, scope))
    if not texts or type(number) is not int:
        raise NotThere(f"{key[:80]!r} names no part")
    return PassName(product, serial, scope, number)
