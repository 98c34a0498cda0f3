"""Which pictures a report is about, and whether there can be any."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from db.base import table_of
from db.reports.part_reports.names import refuse_name
from db.storable_text import storable
from db.tables import Camera, Inspection, Line, Product

_PICTURES = table_of(Inspection).c
_CAMERA = table_of(Camera).c
# Where names are known before, or without, the pictures themselves.
_CATALOGUE = {
    "product": table_of(Product).c.code,
    "line": table_of(Line).c.code,
    "camera": _CAMERA.code,
}


@dataclass(frozen=True, slots=True)
class PictureRange:
    """None does not narrow; `until` is exclusive. Names are compared as they are stored."""

    since: datetime | None = None
    until: datetime | None = None
    product: str | None = None
    line: str | None = None
    camera: str | None = None

    def names(self) -> dict[str, str]:
        """The columns that are narrowed, each with the one value that is left."""
        values = ((name, getattr(self, name)) for name in _CATALOGUE)
        return {name: storable(value) for name, value in values if value is not None}

    def named(self, columns: Any) -> list[ColumnElement[bool]]:
        """The conditions on product, line and camera."""
        return [columns[name] == value for name, value in self.names().items()]

    def within(self, instant: ColumnElement[Any]) -> list[ColumnElement[bool]]:
        """The conditions on a time."""
        begins = [] if self.since is None else [instant >= self.since]
        return begins if self.until is None else [*begins, instant < self.until]


def refuse_unknown(connection: Connection, pictures: PictureRange) -> None:
    """Refuse a name that neither the catalogue nor any picture has. Ask when a report is empty.

    Raises:
        ReportError: there is none such; names the nearest.
    """
    for column, name in pictures.names().items():
        known = set(connection.scalars(select(_CATALOGUE[column]).distinct()))
        if name not in known and not _has_pictures(connection, column, name):
            refuse_name(column, name, known)


def _has_pictures(connection: Connection, column: str, name: str) -> bool:
    """Products and lines are each the first column of an index; cameras come with a picture."""
    if column == "camera":
        return False
    query = select(_PICTURES.id).where(_PICTURES[column] == name).limit(1)
    return connection.scalar(query) is not None
