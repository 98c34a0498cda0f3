"""What was said of which picture, by whom, when: for people to read, and for export."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, Select, select

from db.base import table_of
from db.labels.vocabulary import TAKEN_BACK
from db.session import reading
from db.tables import Inspection, Label

_LABEL, _PICTURE = table_of(Label), table_of(Inspection)


@dataclass(frozen=True, slots=True)
class Statement:
    """One label as it was given, with the picture it is about; '' took back those before it."""

    inspection_id: UUID
    label: str
    labelled_by: str
    labelled_at: datetime
    recorded_at: datetime
    source: str
    note: str
    part: str | None
    image_uri: str | None
    image_sha256: str | None


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A picture that people call different things: each person's latest word, by name."""

    inspection_id: UUID
    part: str | None
    image_uri: str | None
    words: dict[str, str]
    counts: str  # the label that holds: the latest of all


def _statements(product: str) -> Select[Any]:
    columns = (
        _LABEL.c.inspection_id, _LABEL.c.label, _LABEL.c.labelled_by, _LABEL.c.labelled_at,
        _LABEL.c.recorded_at, _LABEL.c.source, _LABEL.c.note,
        _PICTURE.c.part, _PICTURE.c.image_uri, _PICTURE.c.image_sha256,
    )  # fmt: skip
    return (
        select(*columns)
        .join(_PICTURE, _PICTURE.c.id == _LABEL.c.inspection_id)
        .where(_LABEL.c.product == product)
        .order_by(_LABEL.c.inspection_id, _LABEL.c.labelled_at, _LABEL.c.id)
    )


def history(engine: Engine, product: str, part: str | None = None) -> list[Statement]:
    """Every label ever given, a picture's in the order in which they hold.

    Args:
        engine: the database.
        product: whose.
        part: only this part's pictures, or those with this id.
    """
    query = _statements(product)
    if part is not None:
        wanted = _PICTURE.c.part == part
        with contextlib.suppress(ValueError):  # a serial is no id
            wanted |= _PICTURE.c.id == UUID(part)
        query = query.where(wanted)
    with reading(engine) as connection:
        return [Statement(*row) for row in connection.execute(query)]


def current(engine: Engine, product: str) -> list[Statement]:
    """The label that holds for each labelled picture: the latest."""
    newest = {statement.inspection_id: statement for statement in history(engine, product)}
    return [one for one in newest.values() if one.label != TAKEN_BACK]


def disagreements(engine: Engine, product: str) -> list[Disagreement]:
    """The pictures on which people's latest words differ."""
    by_picture: dict[UUID, list[Statement]] = defaultdict(list)
    for statement in history(engine, product):
        by_picture[statement.inspection_id].append(statement)
    found = (_disagreement(statements) for statements in by_picture.values())
    return [one for one in found if len(set(one.words.values())) > 1]


def _disagreement(statements: Sequence[Statement]) -> Disagreement:
    last = statements[-1]
    words = {statement.labelled_by: statement.label for statement in statements}
    words = {who: word for who, word in words.items() if word != TAKEN_BACK}
    return Disagreement(last.inspection_id, last.part, last.image_uri, words, last.label)
