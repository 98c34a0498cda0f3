"""Deciding a part that was looked at, so that nobody overwrites what another person said.

A decision on the part and labels on its pictures are two things: the first says what the part is,
the second what a picture shows, and models learn from the second alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import Connection

from db import audit
from db.audit_sample import answers
from db.audit_sample.answers import NewAnswer
from db.audit_sample.items import by_name
from db.clock import database_now
from db.labels.decisions import NewDecision
from db.labels.labels import NewLabel, add_labels
from db.review.pictures import pictures_of
from db.review.standing import Standing, Word, standing
from db.review.waiting import Waiting, part_of
from linewatch.errors import LabelError
from quality.audit.draw import PassName

SOURCE = "review"
Teach = Literal["one", "all", "none"]


@dataclass(frozen=True, slots=True)
class NewWord:
    """What somebody says of a part that they looked at.

    Attributes:
        label: a class of the product; the good one means that the part is conforming.
        revision: of what they looked at.
        teach: which pictures get the label too: "all", "none", or "one", which means the picture
            of a part that has but one: of several, nobody said which shows it.
        source: kept with labels.
    """

    name: PassName
    label: str
    by: str
    revision: str
    teach: Teach = "one"
    why: str = ""
    source: str = SOURCE


@dataclass(frozen=True, slots=True)
class Stored:
    """What came of it.

    Attributes:
        drawn: it was of the audit sample, and this its answer.
        labels: how many pictures were labelled.
        revision: of the part now.
    """

    drawn: bool
    labels: int
    revision: str


def decide(connection: Connection, word: NewWord) -> Stored:
    """Store a decision, and the labels that go with it.

    Raises:
        ChangedSinceError: somebody said something of the part since it was looked at.
        LabelError: there is no such part or class, or a newer part bears its serial number.
        UnknownProductError: the product is not registered.
    """
    part, before = looked_at(connection, word.name, word.revision)
    at = after_all(connection, before)
    answered = _answer(connection, word, at)
    labels, decisions = [], []
    if answered is None or (answered and word.name.serial):
        ids = _taught(connection, part, word.teach)
        labels = [NewLabel(id_, word.label, word.by, word.source, at, word.why) for id_ in ids]
    if answered is None and word.name.serial:
        decisions = [_decision(connection, word, part, at)]
    add_labels(connection, labels, decisions)
    mine = len(labels) + len(decisions) + (answered or 0)
    after = unchanged(connection, word.name, before, mine, at)
    said = {"old": _told(before.last), "new": {"said": word.label, "labels": len(labels)}}
    audit.append(connection, word.by, "decision.change", "/".join(map(str, word.name)), said)
    return Stored(answered is not None, len(labels), after.revision)


def looked_at(connection: Connection, name: PassName, revision: str) -> tuple[Waiting, Standing]:
    """The part, if it still is what somebody looked at.

    Raises:
        LabelError: there is none.
        ChangedSinceError: somebody said something of it since.
    """
    part = part_of(connection, name)
    if part is None:
        raise LabelError(
            f"{name.product} has no part {name.serial or name.scope!r:.80}; look again"
        )
    now = standing(connection, name)
    if changed := now.changed_since(revision):
        raise changed
    return part, now


def unchanged(
    connection: Connection, name: PassName, before: Standing, mine: int, at: datetime
) -> Standing:
    """What people said by now, if that is what they had said and `mine` more words, said `at`.

    Whoever writes of a part waits for its row, which `db.parts.settle` locks; so of two people who
    decide at once, the second sees here what the first wrote.

    Raises:
        ChangedSinceError: there are other words.
    """
    now = standing(connection, name)
    words = len(now.decisions) + len(now.labels)
    if words != len(before.decisions) + len(before.labels) + mine:
        raise now.but_for(at).changed_since("") or AssertionError
    return now


def after_all(connection: Connection, before: Standing) -> datetime:
    """Now, and after all that was said: clocks differ, and the latest word counts."""
    now = database_now(connection).astimezone(UTC)
    return now if before.last is None else max(now, before.last.at + timedelta(microseconds=1))


def _taught(connection: Connection, part: Waiting, teach: Teach) -> list[UUID]:
    ids = [one.id for one in pictures_of(connection, [part])[part.name]]
    if not part.name.serial:
        return ids
    return ids if teach == "all" or (teach == "one" and len(ids) == 1) else []


def _answer(connection: Connection, word: NewWord, at: datetime) -> int | None:
    """Store the answer of a part of the audit sample that has none; None: it is no such part.

    Returns:
        How many words on the part it became: none, where its pictures are gone or a newer part
        bears its serial number.
    """
    item = by_name(connection, word.name)
    if item is None:
        return None
    left = answers.add(connection, [NewAnswer(item, word.label, word.by, at, word.why)])
    return 0 if left else 1


def _decision(connection: Connection, word: NewWord, part: Waiting, at: datetime) -> NewDecision:
    name = word.name
    if part.made_at is not None and answers.newer(connection, name, part.made_at):
        raise LabelError(
            f"a newer part of {name.product} bears the serial number {name.serial!r:.80}, which a "
            "decision would be taken to be about; label its pictures instead"
        )
    return NewDecision(
        name.product, name.serial, word.label, word.by, SOURCE, at, word.why, name.pass_number
    )


def _told(word: Word | None) -> dict[str, str] | None:
    return None if word is None else {"said": word.said or "conforming", "by": word.by}
