"""The figures of a row, and rows of next to nothing."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine

from db.base import table_of
from db.reports.part_reports.defect_rate import defect_rate, first_pass
from db.reports.part_reports.filters import PartFilters
from db.reports.part_reports.pareto import pareto
from db.session import transaction
from db.tables import PartShiftCount
from quality.intervals.wilson import wilson_interval
from tests.support.counted_parts import BERLIN, SATURDAY, Made, store, usual


def test_the_row_of_a_defect_rate(engine: Engine) -> None:
    made = [
        *(Made(SATURDAY) for _ in range(6)),
        *(Made(SATURDAY, disposition="nonconforming", classes="bent") for _ in range(2)),
        Made(SATURDAY, disposition="nonconforming", classes="cut", decided_by="person"),
        *(Made(SATURDAY, disposition="open", decided_by="", why="review") for _ in range(3)),
        Made(SATURDAY, again=True),
        Made(SATURDAY, serialised=False, by_receipt=True),
    ]
    store(engine, made, usual())
    low, high = wilson_interval(3, 10) or (0, 0)
    (row,) = defect_rate(engine, PartFilters(), ("line",), BERLIN).rows
    figures = {
        "line": "L1",
        "parts": 13,
        "conforming": 7,
        "nonconforming": 3,
        "open": 3,
        "by_model": 9,
        "by_person": 1,
        "rate": 0.3,
        "rate_low": low,
        "rate_high": high,
        "band_low": 3 / 13,
        "band_high": 6 / 13,
        "reinspections": 1,
        "unserialised": 1,
        "by_receipt": 1,
    }
    assert list(row.items()) == list(figures.items())
    (yields,) = first_pass(engine, PartFilters(), ("line",), BERLIN).rows
    assert yields == {
        **figures,
        "first_pass_yield": 7 / 13,
        "fpy_low": 7 / 13,
        "fpy_high": 10 / 13,
        "ppm": 300_000,
    }


def test_nothing_decided_has_no_rate(engine: Engine) -> None:
    (row,) = first_pass(engine, PartFilters(), (), BERLIN).rows
    assert {row[name] for name in ("parts", "open", "reinspections")} == {0}
    assert [row[n] for n in ("rate", "band_low", "first_pass_yield", "ppm")] == [None] * 4
    store(engine, [Made(SATURDAY, disposition="open", decided_by="", serial="S")], usual())
    (row,) = first_pass(engine, PartFilters(), (), BERLIN).rows
    assert (row["rate"], row["band_low"], row["band_high"]) == (None, 0, 1)
    assert (row["first_pass_yield"], row["fpy_high"], row["ppm"]) == (0, 1, None)
    assert pareto(engine, PartFilters(), (), BERLIN).rows == ()
    later = PartFilters(since=SATURDAY + timedelta(days=9))
    assert defect_rate(engine, later, ("line",), BERLIN).rows == ()


def test_counts_that_went_down_to_nothing_are_no_rows(engine: Engine) -> None:
    store(engine, [Made(SATURDAY, lot="A", serial="1"), Made(SATURDAY, lot="B")], usual())
    table = table_of(PartShiftCount)
    with transaction(engine) as connection:
        connection.execute(table.update().where(table.c.lot == "A").values(parts=0))
    (row,) = defect_rate(engine, PartFilters(), ("lot",), BERLIN).rows
    assert (row["lot"], row["parts"]) == ("B", 1)
