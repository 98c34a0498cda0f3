"""What people said of pictures, where they disagree, and which labels seem wrong."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from db.inspections.records import InspectionRecord
from db.labels import labels
from db.labels.labels import NewLabel
from db.session import engine_for
from linewatch.settings import Settings
from tests.support.committed import committed
from tests.support.label_commands import KINDS, rows


def test_history_and_disagreements(plant: tuple[Settings, list[InspectionRecord]]) -> None:
    settings, records = plant
    engine, first, second = engine_for(settings.database_url), records[0], records[1]
    assert rows("disagreements", "cable") == []
    later = datetime.now(UTC)
    committed(engine, labels.add_labels, [NewLabel(first.id, "combined", "bob", labelled_at=later)])
    committed(
        engine, labels.add_labels, [NewLabel(second.id, "combined", "ann", labelled_at=later)]
    )
    (one,) = rows("disagreements", "cable")  # a person may change their own mind
    assert one["picture"] == str(first.id)
    assert one["said"] == "ann: good, bob: combined"
    assert one["counts"] == "combined"
    told = rows("history", "cable", "--part", str(second.id))
    assert [row["label"] for row in told] == ["bent_wire", "combined"]
    assert len(rows("history", "cable", "--part", "=P0")) == 4
    assert len(rows("list", "cable")) == 36


def test_suspects_and_advice(plant: tuple[Settings, list[InspectionRecord]]) -> None:
    pytest.importorskip("cleanlab")
    settings, records = plant
    engine = engine_for(settings.database_url)
    committed(
        engine, labels.add_labels, [NewLabel(records[3].id, "cable_swap", "eve")]
    )  # it is "good"
    found = rows("suspects", "cable")
    assert found[0]["picture"] == str(records[3].id)
    assert (found[0]["label"], found[0]["suggested"]) == ("cable_swap", "good")
    advice = {row["class"]: row for row in rows("advice", "cable", "--target", "0.8")}
    assert set(advice) == set(KINDS)
    assert advice["good"]["more_labels"] == 0
