"""What a containment list shows, and its lines as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from pydantic import Field

from console.page import Context
from linewatch.csv_cell import csv_cell
from training.comparison.containment import Contained


class ContainedPart(Context):
    """A part that would not pass, or of which that is not known."""

    result: str = Field(description="defect, review or unknown.")
    product: str = Field(description="Whose part it is.")
    part: str = Field(description="Its serial number; '' where it has none.")
    pass_number: int = Field(description="From 1.")
    line: str = Field(description="That made it.")
    lot: str = Field(description="It belongs to.")
    made_at: datetime = Field(description="When its first picture was taken.")
    picture: UUID = Field(description="That decides it.")
    camera: str = Field(description="That took this picture.")
    defect_class: str | None = Field(description="Of this picture, by the second version.")
    confidence: float | None = Field(description="Of this class, 0 to 1.")
    why: str = Field(description="A person is needed, or it is unknown.")
    disposition: str = Field(description="What the part is by now.")
    by: str = Field(description="Who decided that.")


class ContainmentList(Context):
    """Parts that passed under one version and would not pass under another."""

    version: str = Field(description="Under which the parts passed.")
    against: str = Field(description="That judges them again.")
    versions: list[str] = Field(description="Those that can be chosen, newest first.")
    line: str = Field(description="Only of this line; '': of all.")
    lot: str = Field(description="Only of this lot; '': of all.")
    camera: str = Field(description="Only pictures of this camera; '': of all.")
    since: str = Field(description="Made from then on; '': ever.")
    until: str = Field(description="Made before then; '': until now.")
    judged: int = Field(description="How many parts passed under the first version, of those seen.")
    parts: list[ContainedPart] = Field(description="Those to fetch back, at most 200.")
    complete: bool = Field(description="Whether these are all; else the file has them.")
    problem: str | None = Field(description="Why there is no list.")


def row_of(one: Contained, product: str) -> ContainedPart:
    """A part of a product."""
    part, said = one.part, one.said
    return ContainedPart(
        result=str(one.result),
        product=product,
        part=part.serial,
        pass_number=part.pass_number,
        line=part.line,
        lot=part.lot,
        made_at=part.made_at,
        picture=one.picture.id,
        camera=one.picture.camera,
        defect_class=said.defect_class if said else None,
        confidence=said.confidence if said else None,
        why=str(said.reason) if said and said.reason else one.why,
        disposition=part.disposition,
        by=part.decided_by,
    )


def csv_lines(rows: Iterator[ContainedPart]) -> Iterator[str]:
    """The list as CSV, a line at a time."""
    yield _line(list(ContainedPart.model_fields))
    for row in rows:
        yield _line([csv_cell(cell) for cell in row.model_dump(mode="json").values()])


def _line(cells: list[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue()
