"""Where the picture of an inspection lies."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Engine, select

from db.base import table_of
from db.session import reading
from db.tables import Inspection

_TABLE = table_of(Inspection)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture's file as its row knows it.

    Attributes:
        uri: an absolute path or file:// URI; None where the message named none.
        sha256: of the file that was judged; None where nobody read all of it.
        product: whose picture; None where the message did not say.
        camera: that took it; None likewise.
    """

    uri: str | None
    sha256: str | None
    product: str | None
    camera: str | None


def of_inspection(engine: Engine, id_: UUID) -> Picture | None:
    """The picture of an inspection; None where there is no such inspection (any more)."""
    c = _TABLE.c
    query = select(c.image_uri, c.image_sha256, c.product, c.camera).where(c.id == id_)
    with reading(engine) as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else Picture(*row)
