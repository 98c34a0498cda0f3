"""Rejected pictures against a count of every record."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from db.inspections.inspections import commit_inspections
from db.inspections.records import InspectionRecord
from db.products import register
from db.reports.picture_range import PictureRange
from db.reports.rejected import rejected
from linewatch.errors import ReportError
from linewatch.products import parse_product
from producer.contract import Reason, Verdict
from tests.support.committed import committed
from tests.support.records import NOON, a_record, random_records

KOLKATA = ZoneInfo("Asia/Kolkata")
REASONS = (Reason.MISSING, Reason.CORRUPT, Reason.TOO_LARGE)


def records() -> list[InspectionRecord]:
    found = []
    for number, one in enumerate(random_records(11, 400, days=2)):
        fields = {name: getattr(one, name) for name in InspectionRecord.__slots__}
        if not one.verdict.judged:
            fields["reason"] = REASONS[number % 3]
        found.append(InspectionRecord(**fields))
    return found


def test_every_reject_is_counted_by_camera_and_reason(engine: Engine) -> None:
    made = records()
    since, until = NOON + timedelta(hours=7), NOON + timedelta(hours=30)
    ends = {"verdict": Verdict.REJECTED, "reason": Reason.EMPTY}
    made += [a_record(decided_at=at, **ends) for at in (since, until)]
    commit_inspections(engine, made, UTC)
    cases = [
        (PictureRange(), made),
        (PictureRange(since, until), [r for r in made if since <= r.decided_at < until]),
        (PictureRange(line="L1", product="cable"),
         [r for r in made if (r.line, r.product) == ("L1", "cable")]),
        (PictureRange(camera="C2"), [r for r in made if r.camera == "C2"]),
    ]  # fmt: skip
    for pictures, kept in cases:
        found = rejected(engine, pictures, KOLKATA)
        unjudged = [r for r in kept if not r.verdict.judged]
        expected = Counter((r.line, r.camera, str(r.verdict), str(r.reason)) for r in unjudged)
        names = ("line", "camera", "verdict", "reason")
        assert {tuple(row[n] for n in names): row["pictures"] for row in found.rows} == expected
        assert sum(float(row["share"]) for row in found.rows) == pytest.approx(1)  # type: ignore[arg-type]
        numbers = [row["pictures"] for row in found.rows]
        assert numbers == sorted(numbers, reverse=True)  # type: ignore[type-var]
        assert (found.since, found.until) == (pictures.since, pictures.until)


def test_the_last_one_is_told_in_the_plants_time(engine: Engine) -> None:
    times = [NOON, NOON + timedelta(minutes=5)]
    fields = {"verdict": Verdict.REJECTED, "reason": Reason.EMPTY}
    commit_inspections(engine, [a_record(decided_at=at, **fields) for at in times], UTC)
    (row,) = rejected(engine, PictureRange(), KOLKATA).rows
    assert row["last_at"] == times[1]
    assert row["last_at"].utcoffset() == timedelta(hours=5, minutes=30)  # type: ignore[union-attr]


def test_a_message_that_could_not_be_read_has_no_line(engine: Engine) -> None:
    dead = InspectionRecord.unreadable(
        a_record().id, verdict=Verdict.DEAD_LETTER, reason=Reason.UNREADABLE_MESSAGE, detail="x"
    )
    commit_inspections(engine, [dead, a_record()], UTC)
    (row,) = rejected(engine, PictureRange(), UTC).rows
    assert (row["line"], row["camera"], row["pictures"]) == (None, None, 1)


def test_unknown_names_are_refused_and_quiet_ones_are_not(engine: Engine) -> None:
    classes = [{"code": "good", "good": True}, {"code": "bad"}]
    committed(engine, register, parse_product({"product": "cable", "classes": classes}, "tests"))
    commit_inspections(engine, [a_record(), a_record(product="plug")], UTC)
    assert rejected(engine, PictureRange(product="plug"), UTC).rows == ()
    assert rejected(engine, PictureRange(line="L1", camera="C1"), UTC).rows == ()
    with pytest.raises(ReportError, match="no line is called 'L2'"):
        rejected(engine, PictureRange(line="L2"), UTC)
    with pytest.raises(ReportError, match=r"no camera is called 'c1'; did you mean 'C1'\?"):
        rejected(engine, PictureRange(camera="c1"), UTC)
    with pytest.raises(ReportError, match="no product is called 'cabel'; did you mean 'cable'"):
        rejected(engine, PictureRange(product="cabel"), UTC)
    with pytest.raises(ReportError, match="no line is called"):
        rejected(engine, PictureRange(line="nul\x00" + "x" * 4096), UTC)
