"""Parts that passed under one version and would not under another: what has to be fetched back."""

# No `from __future__ import annotations`: FastAPI reads the types of the functions made here.
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import Field

from console.access.roles import Role, opened_to
from console.judged import model_of
from console.page import API, Context, Page, Visit, visit
from db.inspections.passed import passed_parts
from db.inspections.passed_part import Passed, PassedPart
from db.models import versions
from db.parts.backfill import pending
from linewatch.csv_cell import csv_cell
from linewatch.errors import LinewatchError, ModelError, ReportError
from training.comparison.containment import Contained, Containment

_PAGES = 6  # of 500 parts that a page judges; the file has all
_SHOWN = 200


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


@dataclass(frozen=True)
class ContainmentQuery:
    """Which parts."""

    version: Annotated[str, Query(description="Under which the parts passed.")] = ""
    against: Annotated[str, Query(description="That judges them again.")] = ""
    line: Annotated[str, Query(description="Only of this line.")] = ""
    lot: Annotated[str, Query(description="Only of this lot.")] = ""
    camera: Annotated[str, Query(description="Only pictures of this camera.")] = ""
    since: Annotated[str, Query(description="Made from then on, as 2026-05-31T14:00.")] = ""
    until: Annotated[str, Query(description="Made before then.")] = ""


def read(visit: Visit, query: ContainmentQuery) -> ContainmentList:
    """The list, as far as a page has room; what is wrong is said where the form is."""
    known = [one.version for one in versions.versions(visit.site.engine)]
    parts: list[ContainedPart] = []
    problem, complete, judged = None, True, 0
    if query.version and query.against:
        try:
            parts, judged, complete = _first(visit, query)
        except LinewatchError as error:
            problem = str(error)
    return ContainmentList(
        **vars(query),
        versions=known,
        judged=judged,
        parts=parts,
        complete=complete,
        problem=problem,
    )


def _first(visit: Visit, query: ContainmentQuery) -> tuple[list[ContainedPart], int, bool]:
    containment, pages, product = _begun(visit, query)
    seen = _Counted(pages)
    found = containment.contained(islice(seen, _PAGES))
    rows = [_row(one, product) for one in islice(found, _SHOWN + 1)]
    complete = len(rows) <= _SHOWN and seen.ended
    return rows[:_SHOWN], containment.counts.total(), complete


class _Counted:
    """Pages of parts; `ended` is true once there are no more."""

    def __init__(self, pages: Iterator[list[PassedPart]]) -> None:
        self._pages, self.ended = pages, False

    def __iter__(self) -> Iterator[list[PassedPart]]:
        for number, page in enumerate(self._pages):
            if number == _PAGES:
                return
            yield page
        self.ended = True


def _begun(
    visit: Visit, query: ContainmentQuery
) -> tuple[Containment, Iterator[list[PassedPart]], str]:
    engine = visit.site.engine
    product = versions.require(engine, query.version).product
    info = versions.require(engine, query.against)
    if info.product != product:
        raise ModelError(
            f"model {info.version} is for {info.product}, {query.version} for {product}"
        )
    if pending(engine):
        raise ReportError(
            "inspections of before are not counted as parts yet, and would be missing here; run "
            "`linewatch db backfill` first"
        )
    wanted = Passed(
        product,
        query.version,
        info.fingerprint,
        camera=query.camera or None,
        line=query.line or None,
        lot=query.lot or None,
        since=_instant(visit, query.since),
        until=_instant(visit, query.until),
    )
    return Containment(model_of(visit.site, info)), passed_parts(engine, wanted), product


def _instant(visit: Visit, text: str) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ReportError(f"{text[:40]!r} is no time; write 2026-05-31T14:00") from None
    return (at if at.tzinfo else at.replace(tzinfo=visit.site.settings.timezone)).astimezone(UTC)


def _row(one: Contained, product: str) -> ContainedPart:
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


PAGE = Page(
    name="containment",
    path="/containment",
    title="Containment",
    role=Role.VIEWER,
    query=ContainmentQuery,
    context=ContainmentList,
    read=read,
    template="containment/page.html",
)
router = APIRouter()


@router.get("/containment.csv", openapi_extra=opened_to(Role.VIEWER), include_in_schema=False)
@router.get(
    f"{API}/containment.csv",
    openapi_extra=opened_to(Role.VIEWER),
    response_class=StreamingResponse,
    operation_id="read_containment_csv",
    summary="Containment, as CSV: every part",
)
def as_csv(request: Request, query: Annotated[ContainmentQuery, Depends()]) -> StreamingResponse:
    """All of the parts, written as they are found."""
    containment, pages, product = _begun(visit(request), query)
    return StreamingResponse(
        _lines(_row(one, product) for one in containment.contained(pages)),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": 'attachment; filename="containment.csv"'},
    )


def _lines(rows: Iterator[ContainedPart]) -> Iterator[str]:
    yield _line(list(ContainedPart.model_fields))
    for row in rows:
        yield _line([csv_cell(cell) for cell in row.model_dump(mode="json").values()])


def _line(cells: list[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue()
