"""The parts behind a figure of a report or a point of a chart."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import Query
from pydantic import Field

from console.access.roles import Role
from console.page import Context, Page, Visit
from console.pages.reports.asked import Asked, Text
from db.reports.part_reports.behind import Narrowed, PartRow, parts_behind
from db.reports.part_reports.filters import PartFilters
from db.review.undecided import undecided
from db.session import reading
from linewatch.errors import ReportError
from quality.audit.draw import PassName

_LIMIT = 100
_NAMES = ("product", "line", "lot", "work_order", "shift")
_TOLD = (
    *("since", "until", "first_day", "last_day"),
    *(*_NAMES, "model_version", "class", "disposition"),
)


@dataclass(frozen=True)
class AskedParts(Asked):
    """Filters, and where in the list to go on."""

    disposition: Literal["", "conforming", "nonconforming", "open"] = ""
    model_version: Text = None
    first_day: Annotated[
        str | None,
        Query(description="Made in shifts of this plant day or a later one.", max_length=10),
    ] = None
    last_day: Annotated[
        str | None, Query(description="The last such day; left out: the first.", max_length=10)
    ] = None
    passes: Annotated[Literal["first", "all"], Query(description="'all': re-inspections too.")] = (
        "first"
    )
    after: Annotated[str | None, Query(description="`next` of the page before.")] = None


class PartEntry(Context):
    """One pass of a part."""

    product: str = Field(description="Of which product.")
    part: str = Field(description="Its serial number; empty where it has none.")
    pass_number: int = Field(description="1 for the first time through the line.")
    line: str = Field(description="On which line.")
    lot: str = Field(description="Of which lot; empty: none.")
    made_at: datetime = Field(description="When its first picture was taken.")
    hidden: bool = Field(
        description="Who asks may decide it, and nobody has: what the model said is left out."
    )
    disposition: str = Field(description="conforming, nonconforming or open; '' where hidden.")
    classes: str = Field(description="Its defect classes, joined by +.")
    decided_by: str = Field(description="model or person; empty while it is open.")
    why: str = Field(description="Why it is open.")
    model_version: str = Field(description="Which model judged it.")
    address: str = Field(description="Its page; empty where it has no serial number.")


class PartsBehind(Context):
    """Parts, the ones made last first."""

    parts: list[PartEntry] = Field(description="Up to 100 of them.")
    asked: dict[str, str] = Field(description="The filters that narrow the list.")
    next: str | None = Field(description="`after` of the next page; none: these are all.")
    more: str | None = Field(description="The query of the next page's address.")
    problem: str | None = Field(default=None, description="Why there is no list.")


def read(visit: Visit, asked: AskedParts) -> PartsBehind:
    """A page of the list."""
    try:
        since, until = asked.instants(visit.site.settings.timezone)
        filters = PartFilters(since, until, **{name: asked.name(name) for name in _NAMES})
        narrowed = Narrowed(
            class_code=asked.name("class"),
            disposition=asked.disposition or None,
            passes=asked.passes,
            model_version=asked.name("model_version"),
            days=_days(asked),
            after=_place(asked.after) if asked.after else None,
        )
        found, problem = parts_behind(visit.site.engine, filters, narrowed, _LIMIT), None
    except ReportError as error:
        found, problem = [], str(error)
    following = _after(found[-1]) if len(found) == _LIMIT else None
    told = {name: asked.name(name) for name in _TOLD}
    return PartsBehind(
        parts=_entries(visit, found),
        asked={name: value for name, value in told.items() if value},
        next=following,
        more=None if following is None else asked.address(after=following),
        problem=problem,
    )


def _entries(visit: Visit, found: Sequence[PartRow]) -> list[PartEntry]:
    kept: set[PassName] = set()
    if visit.visitor.decides:
        with reading(visit.site.engine) as connection:
            kept = undecided(connection, [_name(part) for part in found])
    return [_entry(part, hidden=_name(part) in kept) for part in found]


def _name(part: PartRow) -> PassName:
    return PassName(part.product, part.serial, part.scope, part.pass_number)


def _entry(part: PartRow, *, hidden: bool) -> PartEntry:
    address = f"/parts/{quote(part.product, safe='')}/{quote(part.serial, safe='')}"
    return PartEntry(
        product=part.product,
        part=part.serial,
        pass_number=part.pass_number,
        line=part.line,
        lot=part.lot,
        made_at=part.made_at,
        hidden=hidden,
        disposition="" if hidden else part.disposition,
        classes="" if hidden else part.classes,
        decided_by="" if hidden else part.decided_by,
        why="" if hidden else part.why,
        model_version=part.model_version,
        address=address if part.serial else "",
    )


def _days(asked: AskedParts) -> tuple[date, date] | None:
    if not asked.first_day:
        return None
    try:
        first, last = (
            date.fromisoformat(day) for day in (asked.first_day, asked.last_day or asked.first_day)
        )
    except ValueError:
        raise ReportError("a plant day is written 2026-01-31") from None
    return first, last


def _after(part: PartRow) -> str:
    key = [part.made_at.isoformat(), part.product, part.serial, part.pass_number]
    return urlsafe_b64encode(json.dumps(key).encode()).decode()


def _place(text: str) -> tuple[datetime, str, str, int]:
    try:
        made_at, product, serial, number = json.loads(urlsafe_b64decode(text.encode()))
        at = datetime.fromisoformat(made_at).astimezone(UTC)
        return at, str(product), str(serial), int(number)
    except (ValueError, TypeError, OverflowError):
        raise ReportError("this is no place in the list; begin with its first page") from None


PAGE = Page(
    name="reports/parts",
    path="/reports/parts",
    title="Parts behind a figure",
    role=Role.VIEWER,
    query=AskedParts,
    context=PartsBehind,
    read=read,
    template="reports/parts.html",
    rows="parts",
)
