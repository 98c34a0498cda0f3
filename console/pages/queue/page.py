"""`/queue`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Query

from console.access.roles import Role
from console.page import Page, Visit
from console.pages.lines.shared import watched
from console.pages.queue.broker import batches, broker
from console.pages.queue.context import LetterRow, Queue, ReasonRow, WorkerRow
from db.alerting.sightings import sightings
from db.inspections import inbox
from db.inspections.dead_letters import Letter
from db.reports.counts import last_decided_at
from workers.fleet import FleetWorker

_PAGE = 50


@dataclass(frozen=True)
class Asked:
    """Which dead letters."""

    state: Annotated[str, Query(description="waiting, addressed or all.")] = "waiting"
    reason: Annotated[str | None, Query(description="Only of this reason.", max_length=100)] = None
    after: Annotated[int | None, Query(description="Older than this letter.", ge=1)] = None


def read(visit: Visit, query: Asked) -> Queue:
    """The queue now."""
    site = visit.site
    found = broker(site.settings)
    fleet = watched(site).fleet
    answers = fleet.latest() if found.held is not None else None
    reason = query.reason or None
    box = inbox.read(site.engine, state=query.state, reason=reason, after=query.after, limit=_PAGE)
    return Queue(
        at=datetime.now(UTC),
        redis=found.held is not None,
        queues=list(found.queues),
        held=found.held,
        asked=fleet.asked or found.held is None,
        workers=_workers(answers or [], sightings(site.engine)),
        batches=batches(site),
        last_decided_at=last_decided_at(site.engine),
        flower=site.settings.flower_url,
        reasons=[
            ReasonRow(reason=code, letters=count)
            for code, count in inbox.waiting_by_reason(site.engine).items()
        ],
        letters=[letter_row(letter, letter.id in box.awaited) for letter in box.letters],
        state=query.state,
        reason=reason,
        after=box.letters[-1].id if box.more else None,
    )


def letter_row(letter: Letter, awaited: bool) -> LetterRow:
    """A letter as the inbox lists it."""
    state = "waiting" if letter.addressed_at is None and letter.requeued_at is None else "addressed"
    return LetterRow(
        letter=letter.id,
        received_at=letter.received_at,
        reason=letter.reason,
        state="awaited" if awaited else state,
        picture=letter.image_id,
        task=letter.task_id,
        detail=letter.detail,
        addressed_by=letter.addressed_by,
        addressed_at=letter.addressed_at or letter.requeued_at,
        note=letter.note,
    )


def _workers(answers: list[FleetWorker], seen: dict[str, datetime]) -> list[WorkerRow]:
    rows = [
        WorkerRow(
            name=one.name,
            answers=True,
            inspecting=one.inspecting,
            device=one.device,
            models=", ".join(
                f"{product}: {version}" for product, version in (one.models or {}).items()
            ),
            trouble=one.trouble,
            seen_at=seen.get(one.name),
        )
        for one in answers
    ]
    known = {one.name for one in answers}
    rows += [
        WorkerRow(
            name=name,
            answers=False,
            inspecting=False,
            device="",
            models="",
            trouble="",
            seen_at=at,
        )
        for name, at in seen.items()
        if name not in known
    ]
    return sorted(rows, key=lambda row: row.name)


PAGE = Page(
    name="queue",
    path="/queue",
    title="Queue",
    role=Role.VIEWER,
    query=Asked,
    context=Queue,
    read=read,
    template="queue/page.html",
    rows="letters",
    menu=70,
)
