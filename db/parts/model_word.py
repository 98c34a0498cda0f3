"""What a part would be if people had said nothing."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, select

from db.base import table_of
from db.tables import Part
from quality.audit.draw import PassName
from quality.parts.disposition import Disposition

_P = table_of(Part).c


class ModelWord(NamedTuple):
    """The model's disposition, and its defect classes, sorted, joined by +."""

    disposition: str
    classes: str


def model_word(connection: Connection, name: PassName) -> ModelWord:
    """Of a part; of a picture that nobody spoke of there is no row, so it is open."""
    keys = (_P.product, _P.serial, _P.scope, _P.pass_number)
    query = select(_P.model_disposition, _P.model_classes)
    query = query.where(*(c == value for c, value in zip(keys, name, strict=True)), _P.counted)
    row = connection.execute(query).one_or_none()
    return ModelWord(str(Disposition.OPEN), "") if row is None else ModelWord(*row)
