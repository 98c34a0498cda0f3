"""From the pictures of one serial number to its passes, and what each of them is. Pure.

`db/functions/linewatch_settle_v1.sql` does the same inside PostgreSQL; tests hold one to the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from quality.parts.disposition import Decision, Outcome, View, by_views, disposed
from quality.parts.passes import Taken, passes
from quality.shifts.shift_calendar import quarter_hour

PASS_GAP_S = 3600.0  # seconds, where the product file does not say
OLDEST_CAPTURE = timedelta(days=31)
FASTEST_CLOCK = timedelta(minutes=5)  # a camera's clock may be ahead of the database's by so much


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of a serial number, as its inspection tells it.

    Attributes:
        id: orders pictures of one moment; unique.
        made_at: when it was taken, see `production_time`.
        by_receipt: `made_at` is when the database got it.
        view: as the model judged it.
        labelled: as a person labelled it; None: nobody did.
        scope: the lot or day that its serial number is of; '' where it is the product's.
        pass_number: None where its message does not say.
        expected: the views that its message or its product file names.
    """

    id: str
    made_at: datetime
    by_receipt: bool
    view: View
    labelled: View | None = None
    scope: str = ""
    pass_number: int | None = None
    expected: tuple[str, ...] = ()
    line: str = ""
    lot: str = ""
    work_order: str = ""
    model_version: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """What a person decided of a serial number; `pass_number` None: of its pass at that time."""

    decision: Decision
    pass_number: int | None = None


class PassKey(NamedTuple):
    """Which pass of a serial number."""

    scope: str
    pass_number: int


@dataclass(frozen=True, slots=True)
class PartPass:
    """A part: one serial number in one pass. Words about it are those of its first picture.

    Attributes:
        outcome: what counts.
        model: what it would be if people had said nothing.
        views: how many pictures.
        quarter_at: the beginning of the UTC quarter hour of `made_at`.
    """

    made_at: datetime
    quarter_at: datetime
    last_at: datetime
    by_receipt: bool
    line: str
    lot: str
    work_order: str
    model_version: str
    views: int
    outcome: Outcome
    model: Outcome


def production_time(captured_at: datetime | None, received_at: datetime) -> tuple[datetime, bool]:
    """When a picture counts, and whether that is its receipt.

    The camera's clock says it, unless it says nothing, more than `OLDEST_CAPTURE` ago, or a time
    that has not come yet.
    """
    if captured_at is None:
        return received_at, True
    age = received_at - captured_at
    if -FASTEST_CLOCK <= age <= OLDEST_CAPTURE:
        return captured_at, False
    return received_at, True


def part_passes(
    pictures: Sequence[Picture], said: Sequence[Said] = (), *, gap_s: float = PASS_GAP_S
) -> dict[PassKey, PartPass]:
    """Every pass of one serial number.

    Args:
        pictures: all that there are of it, in any order.
        said: every decision on it, in any order.
        gap_s: seconds without a picture that end a pass.
    """
    members: dict[PassKey, list[Picture]] = {}
    for scope in sorted({one.scope for one in pictures}):
        mine = {one.id: one for one in pictures if one.scope == scope}
        taken = [Taken(one.id, one.made_at, one.pass_number) for one in mine.values()]
        for id_, number in passes(taken, gap_s).items():
            members.setdefault(PassKey(scope, number), []).append(mine[str(id_)])
    ordered = {
        key: sorted(group, key=lambda one: (one.made_at, one.id)) for key, group in members.items()
    }
    decided = _decided({key: group[0].made_at for key, group in ordered.items()}, said)
    return {key: _part(group, decided.get(key, ())) for key, group in ordered.items()}


def _part(ordered: Sequence[Picture], decisions: Sequence[Decision]) -> PartPass:
    first = ordered[0]
    expected = {name for one in ordered for name in one.expected}
    return PartPass(
        made_at=first.made_at,
        quarter_at=quarter_hour(first.made_at),
        last_at=ordered[-1].made_at,
        by_receipt=first.by_receipt,
        line=first.line,
        lot=first.lot,
        work_order=first.work_order,
        model_version=next((one.model_version for one in ordered if one.model_version), ""),
        views=len(ordered),
        outcome=disposed(
            [one.labelled or one.view for one in ordered], expected=expected, decisions=decisions
        ),
        model=by_views([one.view for one in ordered], expected=expected),
    )


def _decided(
    begun: Mapping[PassKey, datetime], said: Sequence[Said]
) -> dict[PassKey, list[Decision]]:
    """Which decisions are on which pass.

    One that names no pass is on the latest that had begun when it was made, or else on the first.
    """
    found: dict[PassKey, list[Decision]] = {}
    in_time = sorted(begun, key=lambda key: (begun[key], key))
    for one in said:
        if one.pass_number is not None:
            named = [key for key in in_time if key.pass_number == one.pass_number]
        else:
            named = in_time
        before = [key for key in named if begun[key] <= one.decision.decided_at]
        if named:
            found.setdefault(before[-1] if before else named[0], []).append(one.decision)
    return found
