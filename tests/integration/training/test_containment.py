"""Containment: every part that passed and would not pass now, or of which that cannot be told."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import delete

from db.base import table_of
from db.inspections import passed
from db.inspections.passed import passed_parts
from db.inspections.passed_part import Passed
from db.labels import decisions
from db.parts.purged import keep_views
from db.session import engine_for, transaction
from db.tables import Feature, Inspection, InspectionScore
from linewatch.cli import cli
from linewatch.errors import LinewatchError
from linewatch.settings import Settings
from producer.contract import Verdict
from tests.support.bench import CODES, PRINT, Bench
from tests.support.committed import committed

OLD = "cable-0"


@pytest.fixture
def bench(make_settings: Callable[..., Settings], database_url: str) -> Bench:
    settings = make_settings(review_below="0.0", database_url=database_url, plant_timezone="UTC")
    made = Bench(engine_for(database_url), settings)
    for code in CODES:
        made.pictures(code, 9)
    return made


def typed(*arguments: str) -> Result:
    found = CliRunner().invoke(cli, ["report", "containment", *arguments])
    assert found.exit_code == 0, (found.output, found.exception)
    return found


def refused(*arguments: str) -> str:
    found = CliRunner().invoke(cli, ["report", "containment", *arguments])
    assert isinstance(found.exception, LinewatchError), found.output
    return str(found.exception)


def old_version(bench: Bench) -> None:
    """A version of before, of which only the row is left."""
    from db.models import versions
    from db.models.versions import VersionInfo

    info = VersionInfo(
        version=OLD,
        product="cable",
        number=99,
        fingerprint=PRINT,
        encoders="test",
        manifest_sha256="0" * 64,
        created_at=datetime.now(UTC),
    )
    committed(bench.engine, versions.add_version, info)


def past(bench: Bench, code: str, part: str | None, **more: Any) -> UUID:
    """A picture that passed under the old version, and shows something of a class."""
    usual = {"model_version": OLD, "part": part, "lot": "L-7", "label": False}
    return bench.pictures(code, 1, **{**usual, **more})[0]


def results(found: Result) -> dict[str, str]:
    """By serial number, or the picture's id."""
    rows = list(csv.DictReader(io.StringIO(found.stdout)))
    assert len({(row["part"], row["picture"]) for row in rows}) == len(rows)
    return {row["part"] or row["picture"]: row["result"] for row in rows}


def test_all_that_would_not_pass_and_all_that_is_unknown(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In pages of three, so that parts lie at their borders."""
    monkeypatch.setattr(passed, "PAGE", 3)
    new = bench.champion()
    old_version(bench)
    expected: dict[str, str] = {}
    for number in range(4):
        past(bench, "good", f"G-{number}")
        past(bench, "bent", f"B-{number}")
        expected[f"B-{number}"] = "defect"
        past(bench, "good", f"U-{number}", prints=())
        expected[f"U-{number}"] = "unknown"
    past(bench, "good", "V", camera="C1")  # two views: the worse counts
    past(bench, "cut", "V", camera="C2")
    past(bench, "cut", "W", camera="C1")  # one of them was no pass: the part did not pass
    past(bench, "cut", "W", camera="C2", verdict=Verdict.REVIEW)
    past(bench, "cut", "X", model_version="another")
    past(bench, "good", "Y", prints=(), camera="C1")
    past(bench, "cut", "Y", camera="C2")
    alone = [str(past(bench, code, None)) for code in ("good", "bent", "cut", "bent", "good")]
    bare = str(past(bench, "good", None, prints=()))
    expected |= {"V": "defect", "Y": "defect", bare: "unknown"}
    expected |= dict.fromkeys((alone[1], alone[2], alone[3]), "defect")
    found = typed("--version", OLD, "--against", new)
    assert results(found) == expected
    assert f"20 parts passed under {OLD}: under {new} 6 pass, 9 are defects" in found.stderr

    seen = typed("--version", OLD, "--against", new, "--camera", "C2", "--format", "json")
    assert {row["part"] for row in json.loads(seen.stdout)} == {"V", "Y"}
    assert results(typed("--version", OLD, "--against", new, "--lot", "other")) == {}
    assert results(typed("--version", OLD, "--against", new, "--until", "1h")) == {}
    assert (
        json.loads(typed("--version", OLD, "--against", new, "--lot=x", "--format=json").stdout)
        == []
    )
    assert "B-0" in typed("--version", OLD, "--against", new, "--format", "table").stdout


def test_purged_parts_are_unknown_and_purged_pictures_are_told(bench: Bench) -> None:
    new = bench.champion()
    old_version(bench)
    gone = [past(bench, "bent", "P-1"), past(bench, "bent", None), past(bench, "good", None)]
    past(bench, "good", "P-2")
    committed(
        bench.engine,
        decisions.add,
        [decisions.NewDecision("cable", "P-1", "bent", "ann")],
    )
    with transaction(bench.engine) as connection:
        keep_views(connection, table_of(Inspection).c.id.in_(gone))
        for table in (InspectionScore, Feature):
            connection.execute(delete(table).where(table.inspection_id.in_(gone)))
        connection.execute(delete(Inspection).where(Inspection.id.in_(gone)))
    found = typed("--version", OLD, "--against", new)
    (row,) = csv.DictReader(io.StringIO(found.stdout))
    assert (row["part"], row["result"], row["why"]) == ("P-1", "unknown", "purged")
    assert (row["disposition"], row["by"]) == ("nonconforming", "person")
    assert "besides, 2 pictures without a serial number passed and are purged" in found.stderr


def test_what_it_needs(bench: Bench) -> None:
    new = bench.champion()
    assert "no version is called 'ghost'" in refused("--version", "ghost", "--against", new)
    assert "no version is called 'ghost'" in refused("--version", new, "--against", "ghost")
    assert "the range is in the future" in refused(
        *("--version", new, "--against", new, "--since", "2999-01-01")
    )


def test_pages_are_read_and_not_all_at_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passed, "PAGE", 4)
    for number in range(10):
        past(bench, "good", f"G-{number}")
    pages = passed_parts(bench.engine, Passed("cable", OLD, PRINT))
    sizes = [len(page) for page in pages]
    assert (sum(sizes), max(sizes)) == (10, 4)
