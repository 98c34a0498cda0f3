"""Random facts about a few parts, and what the database should say by `quality.parts.parts`."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, insert, select

from db.base import table_of
from db.inspections.inspections import commit_inspections
from db.inspections.records import InspectionRecord
from db.inspections.rolled_up import wrong_hours
from db.labels import decisions
from db.labels.decisions import NewDecision
from db.labels.labels import NewLabel, add_labels
from db.labels.vocabulary import TAKEN_BACK
from db.parts.labelled import wrong_labelled
from db.products import register
from db.session import reading, transaction
from db.tables import Part, PartCount, PartShiftCount, ShiftSpan
from linewatch.products import parse_product
from producer.contract import Verdict
from quality.parts.disposition import Decision, View
from quality.parts.parts import PartPass, Picture, Said, part_passes
from quality.shifts.shift_calendar import quarter_hour
from tests.support.records import a_record

DAY = (datetime.now(UTC) - timedelta(days=10)).replace(hour=0, minute=0, second=0, microsecond=0)
PRODUCT = "plug"
VIEWS = ("top", "side")
GAP_S = 600.0
_VERDICTS = [*[Verdict.PASS] * 6, *[Verdict.DEFECT] * 2, Verdict.REVIEW, Verdict.REJECTED]


def a_plant(engine: Engine, **options: Any) -> None:
    """A product `plug`, and a line L1 whose shifts begin at 5:50 and 17:50 UTC."""
    classes = [{"code": "ok", "good": True}, {"code": "bent"}, {"code": "burnt"}]
    said = {"product": PRODUCT, "classes": classes, "pass_gap_s": GAP_S, **options}
    rows = [
        {
            "line": "L1",
            "starts_at": at,
            "ends_at": at + timedelta(hours=12),
            "shift": "day" if at.hour == 5 else "night",
            "plant_day": at.date(),
        }
        for at in (DAY + timedelta(hours=12 * n - 18, minutes=-10) for n in range(30))
    ]
    with transaction(engine) as connection:
        register(connection, parse_product(said, "a test"))
        connection.execute(insert(table_of(ShiftSpan)), rows)


@dataclass
class Facts:
    """What was said, by whom, in the order in which it was stored."""

    views: tuple[str, ...] = ()
    records: list[InspectionRecord] = field(default_factory=list)
    labels: list[NewLabel] = field(default_factory=list)
    decisions: list[NewDecision] = field(default_factory=list)

    def commit(self, engine: Engine, records: Sequence[InspectionRecord]) -> None:
        """A worker commits pictures."""
        commit_inspections(engine, records, UTC)
        self.records += records

    def label(self, engine: Engine, label: NewLabel) -> None:
        """A person says what a picture shows."""
        with transaction(engine) as connection:
            add_labels(connection, [label])
        self.labels.append(label)

    def decide(self, engine: Engine, decision: NewDecision) -> None:
        """A person says what a part is."""
        with transaction(engine) as connection:
            decisions.add(connection, [decision])
        self.decisions.append(decision)

    def parts(self) -> dict[tuple[str, str, int], PartPass]:
        """Every pass that there should be, by serial number (or picture), scope and number."""
        found: dict[tuple[str, str, int], PartPass] = {}
        serials = {record.part for record in self.records if record.part}
        for serial in serials:
            mine = [self._picture(one) for one in self.records if one.part == serial]
            said = [
                Said(self._decision(n), one.pass_number)
                for n, one in enumerate(self.decisions)
                if one.part == serial
            ]
            for key, part in part_passes(mine, said, gap_s=GAP_S).items():
                found[serial, key.scope, key.pass_number] = part
        for record in self.records:
            if not record.part:
                (part,) = part_passes([self._picture(record)]).values()
                found["", str(record.id), 1] = part
        return found

    def _decision(self, place: int) -> Decision:
        said = self.decisions[place]
        assert said.decided_at is not None
        defect = None if said.label in ("ok", TAKEN_BACK) else said.label
        back = said.label == TAKEN_BACK
        return Decision(defect, said.decided_at, place, taken_back=back)

    def _picture(self, record: InspectionRecord) -> Picture:
        assert record.captured_at is not None
        view = record.camera or ""
        opened = record.verdict not in (Verdict.PASS, Verdict.DEFECT)
        defect = record.defect_class if record.verdict is Verdict.DEFECT else None
        rejected = opened and record.verdict is not Verdict.REVIEW
        mine = [one for one in self.labels if one.inspection_id == record.id]
        last = max(mine, key=lambda one: (one.labelled_at, self.labels.index(one)), default=None)
        said = None
        if last is not None and last.label != TAKEN_BACK:
            said = View(view, None if last.label == "ok" else last.label, by_person=True)
        return Picture(
            id=str(record.id),
            made_at=record.captured_at,
            by_receipt=False,
            view=View(view, defect, not opened, rejected),
            labelled=said,
            pass_number=record.pass_number if record.part else 1,
            expected=tuple(record.views or self.views) if record.part else (),
            line=record.line or "",
            lot=record.lot or "",
            work_order=record.work_order or "",
            model_version=record.model_version or "",
        )


def play(engine: Engine, seed: int, pictures: int = 40, views: tuple[str, ...] = ()) -> Facts:
    """Commits of some pictures each, labels and decisions, in an order that can happen."""
    rng, facts = random.Random(seed), Facts(views)
    rest = [a_picture(rng) for _ in range(pictures)]
    while rest:
        size = rng.randint(1, 6)
        together, rest = rest[:size], rest[size:]
        facts.commit(engine, together)
        for record in rng.choices(facts.records, k=2):
            facts.label(engine, a_label(record.id, rng))
            if record.part and rng.random() < 0.3:
                facts.decide(engine, a_decision(record.part, rng))
    return facts


def a_picture(rng: random.Random) -> InspectionRecord:
    """A picture of one of six parts, or of none, within two hours about a change of shifts."""
    verdict = rng.choice(_VERDICTS)
    part = rng.choice(["A", "B", "C", "D", "E", "F", None])
    taken = DAY + timedelta(hours=5, seconds=rng.randrange(0, 7200, 5))
    return a_record(
        id=UUID(int=rng.getrandbits(128), version=4),
        product=PRODUCT,
        verdict=verdict,
        defect_class={Verdict.PASS: "ok", Verdict.DEFECT: rng.choice(["bent", "burnt"])}.get(
            verdict
        ),
        camera=rng.choice(VIEWS),
        part=part,
        lot=rng.choice(["L-1", "L-2", None]),
        line=rng.choice(["L1", "L1", "L2"]),
        captured_at=taken,
        decided_at=taken + timedelta(seconds=1),
        pass_number=rng.choice([None] * 8 + [1, 2]),
        views=rng.choice([None, None, None, VIEWS]),
        work_order=rng.choice([None, "W-1"]),
        model_version=None if verdict is Verdict.REJECTED else rng.choice(["m-1", "m-2"]),
        probabilities=None,
    )


def a_plain_picture(rng: random.Random, number: int) -> InspectionRecord:
    """A picture of one of many parts that nearly always agree on all but what they show."""
    begun = DAY + timedelta(hours=5, minutes=3 * number)
    later = timedelta(seconds=rng.randrange(0, int(GAP_S) // 2))
    again = timedelta(seconds=GAP_S + 400)
    verdict = rng.choice([*[Verdict.PASS] * 5, Verdict.DEFECT, Verdict.REVIEW])

    def odd(usual: Any, other: Any) -> Any:
        return other if rng.random() < 0.06 else usual

    return replace(
        a_picture(rng),
        part=f"P{number}",
        verdict=verdict,
        defect_class={Verdict.PASS: "ok", Verdict.DEFECT: odd("bent", "burnt")}.get(verdict),
        line=odd("L1", "L2"),
        lot=odd("L-2", "L-1"),
        captured_at=begun + odd(later, again),
        pass_number=odd(None, 2),
        views=odd(None, VIEWS),
        work_order="W-1",
        model_version=odd("m-1", "m-2"),
    )


def a_label(picture: UUID, rng: random.Random) -> NewLabel:
    """Somebody's word on a picture."""
    at = DAY + timedelta(hours=8, seconds=rng.randrange(50))
    label = rng.choice(["ok", "bent", "burnt", TAKEN_BACK])
    return NewLabel(picture, label, "ann", labelled_at=at)


def a_decision(part: str, rng: random.Random) -> NewDecision:
    """Somebody's word on a part."""
    return NewDecision(
        PRODUCT,
        part,
        rng.choice(["ok", "bent", TAKEN_BACK]),
        "bob",
        decided_at=DAY + timedelta(hours=5, seconds=rng.randrange(0, 9000, 7)),
        pass_number=rng.choice([None, None, 1, 2]),
    )


def stored_parts(engine: Engine) -> dict[tuple[str, str, int], dict[str, Any]]:
    """The counted rows of parts."""
    with reading(engine) as connection:
        rows = connection.execute(select(table_of(Part)).where(Part.counted)).mappings()
        return {(row["serial"], row["scope"], row["pass_number"]): dict(row) for row in rows}


def stored_counts(engine: Engine, model: type[PartCount | PartShiftCount]) -> Counter[Any]:
    """What is counted, without rows that came to nothing."""
    found: Counter[Any] = Counter()
    with reading(engine) as connection:
        for row in connection.execute(select(table_of(model))).mappings():
            if row["parts"]:
                found[counted_as(row, row["again"], row["serialised"])] += row["parts"]
    return found


def counted_as(row: Any, again: bool, serialised: bool) -> tuple[Any, ...]:
    """What a row of parts or counts is counted as."""
    names = ("line", "product", "lot", "work_order", "model_version", "disposition", "classes")
    more = ("decided_by", "why", "model_disposition", "by_receipt", "shift", "plant_day")
    return (*(row[name] for name in (*names, *more)), again, serialised)


def as_row(part: PartPass) -> dict[str, Any]:
    """What the database should say of a part."""
    shift = shift_of(part.line, part.made_at)
    return {
        "product": PRODUCT,
        "line": part.line,
        "lot": part.lot,
        "work_order": part.work_order,
        "model_version": part.model_version,
        "made_at": part.made_at,
        "last_at": part.last_at,
        "by_receipt": part.by_receipt,
        "views": part.views,
        "disposition": str(part.outcome.disposition),
        "classes": "+".join(part.outcome.classes),
        "decided_by": str(part.outcome.by),
        "why": str(part.outcome.why or ""),
        "model_disposition": str(part.model.disposition),
        "model_classes": "+".join(part.model.classes),
        **shift,
    }


def shift_of(line: str, at: datetime) -> dict[str, Any]:
    """The shift and slice, by arithmetic."""
    if line != "L1":
        begins = at.replace(hour=0, minute=0, second=0, microsecond=0)
        named = {"shift": "no shift", "plant_day": at.date(), "shift_at": begins}
        return {**named, "slice_at": quarter_hour(at)}
    since = (at - (DAY + timedelta(hours=-18, minutes=-10))) // timedelta(hours=12)
    begins = DAY + timedelta(hours=-18 + 12 * since, minutes=-10)
    named = {"shift": "day" if begins.hour == 5 else "night", "plant_day": begins.date()}
    return {**named, "shift_at": begins, "slice_at": max(begins, quarter_hour(at))}


def check(engine: Engine, facts: Facts) -> None:
    """Assert that rows of parts, counts and what reports read beside them say what the facts do."""
    expected, stored = facts.parts(), stored_parts(engine)
    for key, part in expected.items():
        if key in stored or key[0]:
            assert {k: stored[key][k] for k in as_row(part)} == as_row(part), key
    assert {key for key in stored if key[0]} == {key for key in expected if key[0]}
    sums: Counter[Any] = Counter(
        counted_as(as_row(part), key[2] > 1, key[0] != "") for key, part in expected.items()
    )
    assert stored_counts(engine, PartCount) == sums
    assert stored_counts(engine, PartShiftCount) == sums
    with reading(engine) as connection:
        assert wrong_labelled(connection) == set()
        assert wrong_hours(connection) == 0
