"""What a part is found to be, from all of its views. Pure.

The terms are those of ISO 9000: a part is *conforming* or *nonconforming*; here it may also still
be *open*, since a model that is not sure leaves it to people.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Disposition(StrEnum):
    """What is known of a part."""

    CONFORMING = "conforming"
    NONCONFORMING = "nonconforming"
    OPEN = "open"


class By(StrEnum):
    """Who decided it; nobody, while it is open."""

    MODEL = "model"
    PERSON = "person"
    NOBODY = ""


class Why(StrEnum):
    """Why a part is open."""

    REVIEW = "review"  # the model was not sure of a view
    REJECTED = "rejected"  # a view could not be inspected
    INCOMPLETE = "incomplete"  # an expected view did not come yet


@dataclass(frozen=True, slots=True)
class View:
    """One picture of a part, as it was judged, or as a person labelled it.

    Attributes:
        name: which of the expected views it is, usually the camera; "" where nothing says so.
        defect: the class where it shows a defect.
        decided: whether it is known what it shows; False: review, rejected, dead letter.
        rejected: it could not be inspected at all.
        by_person: a person said what it shows, whatever the model thought.
    """

    name: str = ""
    defect: str | None = None
    decided: bool = True
    rejected: bool = False
    by_person: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person said of the whole part; `defect` None: conforming, unless it was taken back.

    Attributes:
        decided_at: when the person said so, which is not when it was stored.
        order: among decisions of one moment, the later one counts; their storage order will do.
        taken_back: it says that no decision before it holds.
    """

    defect: str | None
    decided_at: datetime
    order: int = 0
    taken_back: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """A part's disposition.

    Attributes:
        classes: the defect classes found, sorted; empty unless nonconforming.
    """

    disposition: Disposition
    by: By
    classes: tuple[str, ...] = ()
    why: Why | None = None


def disposed(
    views: Sequence[View],
    *,
    expected: Collection[str] = (),
    decisions: Sequence[Decision] = (),
) -> Outcome:
    """What a part is: the latest decision of a person, else what its worst view says.

    Args:
        views: those there are, in any order; more than one of a name is allowed.
        expected: names of the views that the part must have.
        decisions: every person's, in any order.
    """
    if decisions:
        last = max(decisions, key=lambda one: (one.decided_at, one.order))
        if last.taken_back:
            return by_views(views, expected=expected)
        return _of_class((last.defect,) if last.defect else (), By.PERSON)
    return by_views(views, expected=expected)


def by_views(views: Sequence[View], *, expected: Collection[str] = ()) -> Outcome:
    """What a part is by its views alone: the worst counts, and one that is missing leaves it open.

    A view that shows a defect decides at once: no other view can make the part good. People decided
    it where the defect is one that they saw, or where a view is good because they said so.
    """
    defects = [view for view in views if view.defect is not None]
    if defects:
        classes = tuple(sorted({str(view.defect) for view in defects}))
        return _of_class(classes, _by(defects))
    opened = [view for view in views if not view.decided]
    if opened:
        rejected = all(view.rejected for view in opened)
        return _open(Why.REJECTED if rejected else Why.REVIEW)
    if not views or set(expected) - {view.name for view in views}:
        return _open(Why.INCOMPLETE)
    return _of_class((), _by(views))


def _by(views: Sequence[View]) -> By:
    return By.PERSON if any(view.by_person for view in views) else By.MODEL


def _open(why: Why) -> Outcome:
    return Outcome(Disposition.OPEN, By.NOBODY, why=why)


def _of_class(classes: tuple[str, ...], by: By) -> Outcome:
    found = Disposition.NONCONFORMING if classes else Disposition.CONFORMING
    return Outcome(found, by, classes)
