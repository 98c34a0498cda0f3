from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

import pytest

from db.inspections.records import InspectionRecord, Outcome, ShadowJudgement
from db.inspections.rows import inspection_row, shadow_row
from producer.contract import Verdict
from tests.support.records import a_record


def test_text_that_a_database_refuses_is_mended_and_stays_visible() -> None:
    row = inspection_row(a_record(image_uri="/a\0b", detail="x\ud800y", part="ü" * 500))
    assert row["image_uri"] == "/a\ufffdb"
    assert row["detail"] == "x?y"
    assert row["part"] == "ü" * 200


def test_numbers_that_are_none_become_none() -> None:
    said = {"good": float("inf"), "bad": 0.5}
    shadow = ShadowJudgement("cable-2", Verdict.REVIEW, None, said)
    record = a_record(confidence=float("nan"), shadow=shadow)
    assert inspection_row(record)["confidence"] is None
    assert Outcome.of(record).confidence is None
    scores = shadow_row(record)
    assert scores is not None
    assert scores["probabilities"] == {"good": None, "bad": 0.5}


def test_a_time_outside_the_calendar_is_left_out() -> None:
    first = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))
    assert inspection_row(a_record(captured_at=first))["captured_at"] is None


def test_an_attempt_too_large_for_a_column_is_capped() -> None:
    assert inspection_row(a_record(attempt=10**30))["attempt"] == 2**31 - 1


def test_probabilities_say_whose_they_are() -> None:
    with pytest.raises(ValueError, match="model_version"):
        InspectionRecord(
            id=uuid4(),
            verdict=Verdict.PASS,
            decided_at=datetime.now(UTC),
            probabilities={"good": 1.0},
        )
