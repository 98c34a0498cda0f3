"""Undo: a later word that takes back one's last one, so that what was said before holds again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from db import audit
from db.labels.decisions import NewDecision
from db.labels.labels import NewLabel, add_labels
from db.labels.vocabulary import TAKEN_BACK, Vocabulary
from db.review.deciding import after_all, looked_at, unchanged
from db.review.standing import Standing, Word
from linewatch.errors import LabelError
from quality.audit.draw import PassName

SOURCE = "undo"


def take_back(connection: Connection, name: PassName, by: str, revision: str) -> str:
    """Take back the last thing that somebody said of a part: decision and labels of that moment.

    Nothing is deleted: rows are added that say what was said before, or that nothing is said.
    Answers to the audit sample stay: the estimate is of what people say at first sight. So do
    labels on single views, which say nothing of the part.

    Returns:
        The part's revision.

    Raises:
        ChangedSinceError: somebody said something of the part since it was looked at.
        LabelError: there is no such part, or the last word on it is another's, or took back one.
    """
    _, before = looked_at(connection, name, revision)
    last = before.last_on_part
    if last is None or last.by != by or last.source == SOURCE:
        raise LabelError(
            "you have nothing to take back here: the last word on this part is not yours"
        )
    at = after_all(connection, before)
    good = _good(connection, name.product)
    decisions = _decisions(name, before, last, good, at)
    labels = _labels(before, last, at)
    add_labels(connection, labels, decisions)
    after = unchanged(connection, name, before, len(labels) + len(decisions), at)
    detail = {"old": {"said": last.said or good}, "new": {"said": [one.label for one in decisions]}}
    audit.append(connection, by, "decision.take_back", "/".join(map(str, name)), detail)
    return after.revision


def _decisions(
    name: PassName, before: Standing, last: Word, good: str, at: datetime
) -> list[NewDecision]:
    mine = [one for one in before.decisions if _same_moment(one, last)]
    if not mine:
        return []
    said, why = _said_before(before.decisions, mine[-1], good)
    return [
        NewDecision(name.product, name.serial, said, last.by, SOURCE, at, why, name.pass_number)
    ]


def _labels(before: Standing, last: Word, at: datetime) -> list[NewLabel]:
    found = []
    for one in before.labels:
        if _same_moment(one, last) and one.picture is not None:
            others = [word for word in before.labels if word.picture == one.picture]
            if others[-1] is not one:  # its label is another by now
                continue
            said, why = _said_before(others, one, TAKEN_BACK)
            found.append(NewLabel(one.picture, said, last.by, SOURCE, at, why))
    return found


def _said_before(words: Sequence[Word], one: Word, good: str) -> tuple[str, str]:
    """What held before one of these words, and whose that is."""
    place = words.index(one)
    if not place:
        return TAKEN_BACK, ""
    earlier = words[place - 1]
    said = good if earlier.said is None else earlier.said
    return said, f"as {earlier.by} said at {earlier.at.isoformat(timespec='seconds')}"


def _same_moment(one: Word, last: Word) -> bool:
    return one.by == last.by and one.at == last.at


def _good(connection: Connection, product: str) -> str:
    words = Vocabulary.of(connection, {product})
    words.refuse_unregistered(product)
    return next((code for code, good in words.classes[product].items() if good), TAKEN_BACK)
