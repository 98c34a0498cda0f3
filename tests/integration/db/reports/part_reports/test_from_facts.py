"""From pictures, labels and decisions to the figures: what reports by pictures got wrong."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine

from db.base import table_of
from db.inspections.records import InspectionRecord
from db.labels.decisions import NewDecision
from db.labels.labels import NewLabel
from db.reports.part_reports.defect_rate import defect_rate, first_pass
from db.reports.part_reports.filters import PartFilters
from db.reports.part_reports.lot import lot_release
from db.reports.part_reports.pareto import pareto
from db.session import transaction
from db.tables import PartBackfill
from producer.contract import Verdict
from tests.support.part_facts import DAY, PRODUCT, Facts, a_plant, play, shift_of
from tests.support.records import a_record

NOON = DAY + timedelta(hours=12)


def picture(verdict: Verdict = Verdict.PASS, **fields: Any) -> InspectionRecord:
    usual: dict[str, Any] = {
        "id": uuid4(),
        "product": PRODUCT,
        "verdict": verdict,
        "defect_class": {Verdict.PASS: "ok", Verdict.DEFECT: "bent"}.get(verdict),
        "captured_at": NOON,
        "decided_at": NOON + timedelta(seconds=1),
        "probabilities": None,
    }
    return a_record(**{**usual, **fields})


def row(engine: Engine, *by: str, **only: Any) -> dict[str, Any]:
    (found,) = first_pass(engine, PartFilters(**only), by, UTC).rows
    return dict(found)


def test_a_part_with_three_pictures_one_of_them_a_defect_is_one_bad_part(engine: Engine) -> None:
    a_plant(engine)
    cameras = {"C1": Verdict.PASS, "C2": Verdict.DEFECT, "C3": Verdict.PASS}
    for camera, verdict in cameras.items():
        Facts().commit(engine, [picture(verdict, camera=camera, part="S1")])
    found = row(engine)
    assert (found["parts"], found["nonconforming"], found["rate"]) == (1, 1, 1)
    assert found["first_pass_yield"] == 0


def test_reviewed_parts_that_people_called_bad_are_bad(engine: Engine) -> None:
    a_plant(engine)
    facts = Facts()
    pictures = [picture(Verdict.REVIEW, part=f"S{n}") for n in range(22)]
    facts.commit(engine, pictures)
    before = row(engine)
    assert (before["open"], before["rate"], before["band_low"], before["band_high"]) == (
        *(22, None),
        *(0, 1),
    )
    for n, one in enumerate(pictures):
        if n % 2:
            facts.label(engine, NewLabel(one.id, "burnt", "ann", labelled_at=NOON))
        else:
            facts.decide(engine, NewDecision(PRODUCT, f"S{n}", "burnt", "ann"))
    found = row(engine)
    assert (found["nonconforming"], found["by_person"], found["open"]) == (22, 22, 0)
    assert (found["rate"], found["band_low"], found["band_high"], found["ppm"]) == (1, 1, 1, 1e6)
    (only,) = pareto(engine, PartFilters(), (), UTC).rows
    assert only == {"class": "burnt", "parts": 22, "share": 1, "cumulative": 1}


def test_a_picture_counts_when_it_was_taken(engine: Engine) -> None:
    """It waited in a spool for a week."""
    a_plant(engine)
    Facts().commit(engine, [picture(part="S1", decided_at=NOON + timedelta(days=7))])
    found = row(engine, "day", "shift")
    assert (found["day"], found["shift"], found["by_receipt"]) == (DAY.date(), "day", 0)
    lost = picture(part="S2", captured_at=None, decided_at=NOON)
    Facts().commit(engine, [lost])
    assert row(engine)["by_receipt"] == 1


def test_reinspections_and_pictures_without_a_serial_number(engine: Engine) -> None:
    a_plant(engine)
    again = NOON + timedelta(hours=2)
    Facts().commit(
        engine,
        [
            picture(Verdict.DEFECT, part="S1"),
            picture(part="S1", captured_at=again, decided_at=again),
            picture(part=None),
            picture(Verdict.REVIEW, part=None),
        ],
    )
    found = row(engine)
    counts = [found[name] for name in ("parts", "reinspections", "unserialised", "open")]
    assert counts == [3, 1, 2, 1]
    rows = {(r["section"], r["name"]): r["parts"] for r in lot_release(engine, "LOT-1", UTC).rows}
    assert rows["re-inspections", "conforming"] == 1
    assert rows["open", "(no serial number)"] == 1
    assert rows["class", "bent"] == 1


def test_people_who_decided_a_lot_are_named(engine: Engine) -> None:
    a_plant(engine)
    facts = Facts()
    facts.commit(engine, [picture(Verdict.REVIEW, part=f"S{n}") for n in range(3)])
    for n in range(2):
        facts.decide(engine, NewDecision(PRODUCT, f"S{n}", "ok", "bob"))
    rows = {(r["section"], r["name"]): r for r in lot_release(engine, "LOT-1", UTC).rows}
    assert rows["decisions by", "bob"]["parts"] == 2
    assert rows["decided by", "person"]["parts"] == 2
    assert rows["open", "S2"]["detail"].startswith("review, pass 1, line L1")  # type: ignore[union-attr]


def test_shifts_from_ten_to_six_sum_to_what_the_facts_say(engine: Engine) -> None:
    a_plant(engine)
    facts = play(engine, 5, pictures=60)
    expected: Counter[tuple[Any, ...]] = Counter()
    for (_, _, number), part in facts.parts().items():
        if number == 1:
            shift = shift_of(part.line, part.made_at)
            key = (part.line, shift["plant_day"], shift["shift"])
            expected[(*key, str(part.outcome.disposition))] += 1
    found: Counter[tuple[Any, ...]] = Counter()
    for one in defect_rate(engine, PartFilters(), ("line", "day", "shift"), UTC).rows:
        for name in ("conforming", "nonconforming", "open"):
            found[one["line"], one["day"], one["shift"], name] += one[name]  # type: ignore[operator]
    assert +found == expected
    starts = DAY + timedelta(hours=5, minutes=50)
    report = defect_rate(engine, PartFilters(since=starts, line="L1"), ("shift",), UTC)
    (shift_row,) = report.rows
    of_shift = [n for (line, _, name, _), n in expected.items() if (line, name) == ("L1", "day")]
    assert (report.notes, shift_row["parts"]) == ((), sum(of_shift))


def test_while_the_past_is_being_counted_reports_say_so(engine: Engine) -> None:
    a_plant(engine)
    Facts().commit(engine, [picture(part="S1")])
    assert defect_rate(engine, PartFilters(), (), UTC).notes == ()
    with transaction(engine) as connection:
        connection.execute(table_of(PartBackfill).insert().values(name="parts", until=uuid4()))
    (note,) = defect_rate(engine, PartFilters(), (), UTC).notes
    assert note.startswith("pictures of before the last upgrade are still being counted")
