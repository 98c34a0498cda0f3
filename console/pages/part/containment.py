"""Parts that passed under one version and would not under another: what has to be fetched back."""

# No `from __future__ import annotations`: FastAPI reads the types of the functions made here.
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse

from console.access.roles import Role, opened_to
from console.judged import model_of
from console.page import API, Page, Visit, visit
from console.pages.part.contained import ContainedPart, ContainmentList, csv_lines, row_of
from db.inspections.passed import passed_parts
from db.inspections.passed_part import Passed, PassedPart
from db.models import versions
from db.parts.backfill import pending
from linewatch.errors import LinewatchError, ModelError, ReportError
from linewatch.periods import parse_instant
from training.comparison.containment import Containment

_PAGES = 6  # of 500 parts that a page judges; the file has all
_SHOWN = 200


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
    found = containment.contained(seen)
    rows = [row_of(one, product) for one in islice(found, _SHOWN + 1)]
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
    return parse_instant(text, datetime.now(UTC), visit.site.settings.timezone)


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
        csv_lines(row_of(one, product) for one in containment.contained(pages)),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": 'attachment; filename="containment.csv"'},
    )
