"""What a lot's release report says."""

from __future__ import annotations

from sqlalchemy import Engine

from db.reports.part_reports.lot import lot_release
from tests.support.counted_parts import BERLIN, SATURDAY, Made, store, usual


def test_the_release_of_a_lot(engine: Engine) -> None:
    bad = {"disposition": "nonconforming", "model_version": "cable-2"}
    still = {"disposition": "open", "decided_by": ""}
    parts = [
        *(Made(SATURDAY, serial=f"G{n}") for n in range(6)),
        Made(SATURDAY, classes="bent+cut", serial="B1", **bad),  # type: ignore[arg-type]
        Made(SATURDAY, classes="cut", serial="B2", decided_by="person", **bad),  # type: ignore[arg-type]
        Made(SATURDAY, serial="O1", why="review", **still),  # type: ignore[arg-type]
        Made(SATURDAY, serialised=False, why="rejected", **still),  # type: ignore[arg-type]
        Made(SATURDAY, serial="B1", again=True),
        Made(SATURDAY, lot="B", serial="X"),
        Made(SATURDAY, lot="C", serial="Y", why="review", **still),  # type: ignore[arg-type]
    ]
    store(engine, parts, usual())
    report = lot_release(engine, "A", BERLIN)
    rows = {(row["section"], row["name"]): row for row in report.rows}
    assert len(rows) == len(report.rows)
    assert {key: row["parts"] for key, row in rows.items()} == {
        ("parts", "first passes"): 10,
        ("parts", "conforming"): 6,
        ("parts", "nonconforming"): 2,
        ("parts", "open"): 2,
        ("parts", "defect rate"): 2,
        ("parts", "band"): 2,
        ("parts", "unserialised"): 1,
        ("parts", "by_receipt"): 0,
        ("class", "cut"): 2,
        ("class", "bent"): 1,
        ("decided by", "model"): 7,
        ("decided by", "person"): 1,
        ("model version", "cable-1"): 8,
        ("model version", "cable-2"): 2,
        ("re-inspections", "conforming"): 1,
        ("open", "(no serial number)"): 1,
        ("open", "O1"): 1,
    }
    assert rows["parts", "defect rate"]["share"] == 0.25
    assert rows["parts", "band"]["low"] == 0.2
    assert rows["parts", "band"]["high"] == 0.4
    assert rows["open", "O1"]["detail"] == ("review, pass 1, line L1, made 2026-03-28T04:00+01:00")
    assert rows["open", "(no serial number)"]["detail"] == "rejected"
    assert report.notes == ("2 parts of the lot are still open",)
    assert lot_release(engine, "C", BERLIN).notes == ("1 part of the lot is still open",)
    assert lot_release(engine, "B", BERLIN, "cable").notes == ("no part is open",)
