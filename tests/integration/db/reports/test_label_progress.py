"""Labels by class against a count of every label."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from db.inspections.inspections import commit_inspections
from db.labels import golden_members
from db.labels.labels import NewLabel, add_labels
from db.models import runs
from db.products import register
from db.reports.label_progress import Wanted, label_progress
from linewatch.errors import ReportError
from linewatch.products import parse_product
from tests.support.committed import committed
from tests.support.records import NOON, a_record

WANTED = Wanted(pictures=3, labels=100)


def product(code: str, *classes: str) -> Any:
    listed = [{"code": one, "good": one == "good"} for one in classes]
    return parse_product({"product": code, "classes": listed}, "tests")


def labelled(engine: Engine, code: str, *labels: str) -> list[Any]:
    """A picture for each label; returns the ids."""
    records = [a_record(product=code) for _ in labels]
    commit_inspections(engine, records, UTC)
    ids = [record.id for record in records]
    committed(engine, add_labels, [NewLabel(i, x, "a") for i, x in zip(ids, labels, strict=True)])
    return ids


def rows(engine: Engine, code: str | None = None) -> dict[tuple[Any, Any], tuple[Any, ...]]:
    found = label_progress(engine, WANTED, product=code).rows
    names = ("labelled", "golden", "needed", "missing", "new")
    return {(row["product"], row["class"]): tuple(row[name] for name in names) for row in found}


def test_labels_count_by_the_latest_word_and_golden_ones_apart(engine: Engine) -> None:
    committed(engine, register, product("cable", "good", "bent", "cut"))
    ids = labelled(engine, "cable", "good", "good", "good", "good", "bent", "bent")
    later = NOON.replace(year=2100)
    committed(engine, add_labels, [NewLabel(ids[0], "bent", "b", labelled_at=later)])
    earlier = NewLabel(ids[1], "cut", "b", labelled_at=NOON - timedelta(days=900))
    committed(engine, add_labels, [earlier])
    committed(engine, golden_members.add, "cable", "golden", {ids[2]: "good"}, by="a")
    committed(engine, golden_members.add, "cable", "other", {ids[2]: "good"}, by="a")
    assert rows(engine) == {
        ("cable", "good"): (2, 1, 3, 1, 2),
        ("cable", "bent"): (3, 0, 3, 0, 3),
        ("cable", "cut"): (0, 0, 3, 3, 0),
    }


def test_new_are_those_since_the_last_run_began(engine: Engine) -> None:
    committed(engine, register, product("cable", "good", "bent"))
    labelled(engine, "cable", "good", "bent")
    committed(engine, runs.start_run, "cable", "tests", 60)
    labelled(engine, "cable", "bent", "bent")
    committed(engine, register, product("plug", "good", "dent"))
    labelled(engine, "plug", "good")
    found = rows(engine)
    assert (found["cable", "good"][-1], found["cable", "bent"][-1]) == (0, 2)
    assert found["plug", "good"][-1] == 1
    assert set(rows(engine, "plug")) == {("plug", "good"), ("plug", "dent")}
    notes = label_progress(engine, WANTED).notes
    assert "cable has 2 newly labelled pictures; 100 new labels train it again." in notes


def test_a_class_that_left_the_product_stays_while_it_has_labels(engine: Engine) -> None:
    committed(engine, register, product("cable", "good", "bent"))
    labelled(engine, "cable", "good", "bent")
    committed(engine, register, product("cable", "good", "cut"))
    report = label_progress(engine, WANTED)
    names = ("class", "good", "in_product", "needed")
    assert [tuple(row[name] for name in names) for row in report.rows] == [
        ("good", True, True, 3), ("cut", False, True, 3), ("bent", None, False, 0)
    ]  # fmt: skip


def test_nothing_registered_is_a_sentence(engine: Engine) -> None:
    report = label_progress(engine, WANTED)
    assert report.rows == ()
    assert "no product is registered" in report.empty
    committed(engine, register, product("cable", "good", "bent"))
    with pytest.raises(ReportError, match="no product is called 'cabel'; did you mean 'cable'"):
        label_progress(engine, WANTED, product="cabel")
