"""People's words against the model's, against a count of every picture and every part."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from db.base import table_of
from db.inspections.inspections import commit_inspections
from db.inspections.records import InspectionRecord
from db.labels.labels import NewLabel, add_labels
from db.products import register
from db.reports.label_verdict import label_verdict
from db.reports.part_reports.filters import PartFilters
from db.reports.report import Report
from db.session import transaction
from db.tables import PartShiftCount
from linewatch.errors import ReportError
from linewatch.products import parse_product
from producer.contract import Verdict
from quality.intervals.wilson import wilson_interval
from quality.shifts.shift_calendar import quarter_hour
from tests.support.committed import committed
from tests.support.counted_parts import Made, random_parts, store, usual
from tests.support.records import CLASSES, NOON, a_record

# Not long ago: an older picture counts when the database got it. On a quarter hour, as parts are.
START = quarter_hour(datetime.now(UTC)) - timedelta(days=2)
FIGURES = ("agreed", "other_class", "escapes", "overkill", "open", "unjudged")


def cable(*classes: str) -> Any:
    listed = [{"code": code, "good": code == "good"} for code in classes]
    return parse_product({"product": "cable", "classes": listed}, "tests")


def judged(count: int) -> list[InspectionRecord]:
    rng = random.Random(3)
    records = []
    for n in range(count):
        verdict = rng.choice([*Verdict, Verdict.PASS, Verdict.DEFECT])
        choice = "good" if verdict is Verdict.PASS else rng.choice(CLASSES[1:])
        at = START + timedelta(hours=n / 10)
        records.append(
            a_record(
                verdict=verdict, defect_class=choice, line=rng.choice(["L1", "L2"]), part=f"P{n}",
                captured_at=at, decided_at=at + timedelta(seconds=1),
                model_version=rng.choice(["cable-1", "cable-2"]),
            )
        )  # fmt: skip
    return records


def said(records: list[InspectionRecord]) -> dict[Any, str]:
    """Two people label most pictures, in no order; who says so last, by their clock, counts."""
    rng = random.Random(4)
    return {r.id: rng.choice(CLASSES) for r in records if rng.random() < 0.8}


def word(record: InspectionRecord, label: str) -> str:
    if record.verdict is Verdict.REVIEW:
        return "open"
    if record.verdict in (Verdict.REJECTED, Verdict.DEAD_LETTER):
        return "unjudged"
    if label == "good":
        return "agreed" if record.verdict is Verdict.PASS else "overkill"
    if record.verdict is Verdict.PASS:
        return "escapes"
    return "agreed" if record.defect_class == label else "other_class"


def label_all(engine: Engine, words: dict[Any, str]) -> None:
    rows = []
    for id_, last in words.items():
        rows.append(NewLabel(id_, last, "ann", labelled_at=NOON + timedelta(days=2)))
        rows.append(NewLabel(id_, "bent_wire", "bob", labelled_at=NOON + timedelta(days=1)))
    committed(engine, add_labels, rows)


def counted(report: Report, of: str, *names: str) -> dict[tuple[Any, ...], Counter[str]]:
    rows = [row for row in report.rows if row["of"] == of]
    return {tuple(row[n] for n in names): +Counter({f: row[f] for f in FIGURES}) for row in rows}


def of_the_part(word: str) -> str:
    """A part of one view: which class was meant, and why it is open, its counts do not say."""
    return {"other_class": "agreed", "unjudged": "open"}.get(word, word)


def test_labels_equal_a_count_of_every_picture(engine: Engine) -> None:
    committed(engine, register, cable(*CLASSES))
    records = judged(300)
    commit_inspections(engine, records, UTC)
    words = said(records)
    label_all(engine, words)
    since, until = START + timedelta(hours=4), START + timedelta(hours=20)
    cases = [
        (PartFilters(), lambda _: True),
        (PartFilters(since=since, until=until), lambda r: since <= r.captured_at < until),
        (PartFilters(line="L2", product="cable"), lambda r: r.line == "L2"),
    ]
    for filters, keep in cases:
        by = ("line", "model_version", "class")
        report = label_verdict(engine, filters, by, UTC)
        expected: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
        of_parts: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
        for record in records:
            if record.id in words and keep(record):
                label = words[record.id]
                key = (record.line, record.model_version, label, label == "good")
                expected[key][word(record, label)] += 1
                of_parts[key][of_the_part(word(record, label))] += 1
        assert counted(report, "picture", *by, "good") == expected
        assert counted(report, "part", *by, "good") == of_parts
        assert any("no random sample" in note for note in report.notes)


def test_shares_are_of_what_the_model_decided(engine: Engine) -> None:
    committed(engine, register, cable(*CLASSES))
    verdicts = [Verdict.PASS] + [Verdict.DEFECT] * 3 + [Verdict.REVIEW]
    records = [
        a_record(verdict=verdict, defect_class="bent_wire", part=None) for verdict in verdicts
    ]
    commit_inspections(engine, records, UTC)
    committed(engine, add_labels, [NewLabel(r.id, "bent_wire", "ann") for r in records])
    row, _ = label_verdict(engine, PartFilters(), ("class",), UTC).rows
    assert (row["class"], row["good"], row["said"], row["decided"]) == ("bent_wire", False, 5, 4)
    assert (row["escape_rate"], row["agreement"], row["overkill_rate"]) == (0.25, 0.75, None)
    assert (row["escape_rate_low"], row["escape_rate_high"]) == wilson_interval(1, 4)


def test_a_class_that_left_the_product_is_named_and_left_out(engine: Engine) -> None:
    committed(engine, register, cable(*CLASSES))
    records = [a_record(), a_record()]
    commit_inspections(engine, records, UTC)
    rows = [NewLabel(records[0].id, "bent_wire", "a"), NewLabel(records[1].id, "good", "a")]
    committed(engine, add_labels, rows)
    committed(engine, register, cable("good", "missing_wire"))
    report = label_verdict(engine, PartFilters(), ("class",), UTC)
    assert [row["class"] for row in report.rows if row["of"] == "picture"] == ["good"]
    assert report.notes[-1] == "left out: 1 labels of cable's former class bent_wire"


def part_word(part: Made) -> str:
    if part.model_disposition == "open":
        return "open"
    if part.model_disposition == part.disposition:
        return "agreed"
    return "overkill" if part.disposition == "conforming" else "escapes"


def test_parts_equal_a_count_of_every_decided_part(engine: Engine) -> None:
    committed(engine, register, cable(*CLASSES))
    parts = random_parts(7, 600)
    store(engine, parts, usual())
    with transaction(engine) as connection:  # decisions that were taken back leave counts of none
        table = table_of(PartShiftCount)
        plugs = select(table).where(table.c.product == "plug")
        rows = connection.execute(plugs).mappings().all()
        connection.execute(table.insert(), [{**r, "product": "none", "parts": 0} for r in rows])
    since, until = parts[0].made_at.replace(minute=30, second=0, microsecond=0), None
    for filters, keep in (
        (PartFilters(), lambda _: True),
        (PartFilters(line="L1", product="cable"), lambda p: (p.line, p.product) == ("L1", "cable")),
        (PartFilters(since=since, until=until), lambda p: p.made_at >= since),
    ):
        report = label_verdict(engine, filters, ("product", "class"), UTC)
        expected: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
        for part in parts:
            if part.decided_by == "person" and not part.again and keep(part):
                good = part.disposition == "conforming"
                named = "good" if part.product == "cable" else "conforming"
                key = (part.product, named if good else part.classes, good)
                expected[key][part_word(part)] += 1
        assert counted(report, "part", "product", "class", "good") == expected
        assert {row["of"] for row in report.rows} == {"part"}


def test_nothing_said_is_a_sentence_and_unknown_names_an_error(engine: Engine) -> None:
    report = label_verdict(engine, PartFilters(), ("class",), UTC)
    assert (report.rows, report.notes) == ((), ())
    assert report.empty.startswith("nobody labelled a picture")
    committed(engine, register, cable(*CLASSES))
    with pytest.raises(ReportError, match="'cabel'; did you mean 'cable'"):
        label_verdict(engine, PartFilters(product="cabel"), ("class",), UTC)
    with pytest.raises(ReportError, match="cannot group by 'lot'"):
        label_verdict(engine, PartFilters(), ("lot",), UTC)
