"""A decision from the page or a program, stored; and taken back."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from console.page import Context
from console.pages.review.labels import view_labels
from console.pages.review.shown import Done, key_of, name_of
from console.refusals import Superseded
from console.site import Site
from db.labels import golden_sets
from db.review import golden
from db.review.deciding import SOURCE, NewWord, Teach, decide
from db.review.pictures import pictures_of
from db.review.standing import ChangedSinceError
from db.review.taking_back import take_back
from db.review.waiting import part_of
from db.session import reading, transaction
from quality.audit.draw import PassName


class Word(BaseModel):
    """A decision on a part that was looked at."""

    model_config = ConfigDict(extra="forbid")

    key: str = Field(description="Of the part.", max_length=4000)
    revision: str = Field(description="Of what was looked at.", max_length=100)
    said: str = Field(description="A class of the product.", max_length=200)
    teach: Literal["one", "all", "none"] = Field(
        default="one",
        description="Which pictures get the label too: `one`, that of a part that has but one.",
    )
    golden: bool = Field(
        default=False, description="Beyond doubt: for the golden set, once a second person agrees."
    )
    why: str = Field(default="", description="The reason; it stays on record.", max_length=2000)


class Taken(Context):
    """What came of a decision."""

    revision: str = Field(description="Of the part now.")
    labels: int = Field(description="How many pictures were labelled.")
    golden: str = Field(description="What came of calling it golden, in words.")


class Back(BaseModel):
    """A decision to take back."""

    model_config = ConfigDict(extra="forbid")

    key: str = Field(description="Of the part.", max_length=4000)
    revision: str = Field(description="Of the part after the decision.", max_length=100)


def store(site: Site, by: str, word: Word) -> Taken:
    """Store a decision.

    Raises:
        Superseded: somebody said something of the part since it was looked at.
        LabelError: there is no such part or class, or it cannot be golden.
    """
    name = name_of(word.key)
    teach: Teach = "all" if word.golden else word.teach
    source = golden.SOURCE if word.golden else SOURCE
    new = NewWord(name, word.said, by, word.revision, teach, word.why, source)
    named = golden_sets.usual(site.engine, name.product, site.settings.golden_set)
    try:
        with transaction(site.engine) as connection:
            stored = decide(connection, new)
            agreed = golden.agree(connection, name, by, named) if word.golden else None
    except ChangedSinceError as error:
        raise Superseded(str(error)) from None
    told = "" if agreed is None else _golden(agreed)
    return Taken(revision=stored.revision, labels=stored.labels, golden=told)


def _golden(agreed: golden.Agreed) -> str:
    if agreed.pictures:
        return "Two people agree: it is in the golden set."
    return "Another person said something else." if agreed.other else "A second person has to look."


def undo(site: Site, by: str, back: Back) -> str:
    """Take a decision back; returns the part's revision.

    Raises:
        Superseded: somebody said something of the part since.
        LabelError: there is nothing of this person's to take back.
    """
    try:
        with transaction(site.engine) as connection:
            return take_back(connection, name_of(back.key), by, back.revision)
    except ChangedSinceError as error:
        raise Superseded(str(error)) from None


def done(site: Site, key: str, said: str, taken: Taken) -> Done:
    """What the page says of it."""
    name: PassName = name_of(key)
    with reading(site.engine) as connection:
        part = part_of(connection, name)
        pictures = [] if part is None else pictures_of(connection, [part])[name]
        views = view_labels(connection, name.product, pictures)
    return Done(
        key=key_of(name),
        part=name.serial or name.scope,
        said=said,
        revision=taken.revision,
        labels=taken.labels,
        pictures=len(pictures),
        golden=taken.golden,
        views=views,
    )
