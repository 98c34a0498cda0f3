"""What `linewatch db recount` prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from linewatch.commands._output import say

if TYPE_CHECKING:
    from db.parts.recounted import Difference, Recounted

_MOST = 20  # days and lines that are listed


def recounted(since: str | None, until: str | None, *, only_check: bool) -> bool:
    """Recount, print what was found, and return whether something is wrong still.

    Raises:
        ReportError: `since` or `until` is no time, or nothing can have been made between them.
    """
    from db.parts.recount import recount
    from db.session import explained
    from linewatch.commands._report_options import database, instants
    from linewatch.settings import get_settings

    begins, ends = instants(since, until)
    engine, _ = database()
    with explained(get_settings().sql_url):
        found = recount(engine, begins, ends, mend=not only_check)
    for line in _lines(found, mended=not only_check):
        say(line)
    return only_check and not found.right


def _lines(found: Recounted, *, mended: bool) -> Iterator[str]:
    done = "mended" if mended else "wrong"
    if found.right:
        yield "parts and counts are right"
    if found.parts or found.wrong:
        yield f"{found.parts} parts were not what pictures and people say: {done}"
        yield from _listed(f"counts {done}", found.wrong)
    if found.labelled:
        yield f"{found.labelled} labelled pictures were not what labels and verdicts say: {done}"
    if found.hours:
        yield f"{found.hours} hours of pictures were not the sum of their counts: {done}"
    if found.lost:
        days = sorted(found.lost_days)
        yield (
            f"{found.lost} serial numbers have fewer pictures than were counted, and were left: "
            f"made from {days[0]} to {days[-1]}"
        )
    yield from _listed("not proven, since pictures of then are purged", found.skipped)


def _listed(title: str, differences: Sequence[Difference]) -> Iterator[str]:
    if not differences:
        return
    yield f"{title}:"
    for one in differences[:_MOST]:
        where = f"line {one.line or '(none)'}, {one.product or '(no product)'}"
        what = "shift" if one.state == "shifts" else "quarter hour"
        yield f"  {one.plant_day}  {where}: {one.counted} counted, {one.found} found, by {what}"
    if len(differences) > _MOST:
        yield f"  and {len(differences) - _MOST} more"
