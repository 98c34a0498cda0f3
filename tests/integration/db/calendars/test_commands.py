"""`linewatch shifts`, as typed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from db.calendars.spans import spans
from db.inspections.inspections import commit_inspections
from db.session import engine_for
from linewatch.cli import cli
from linewatch.doctor import calendar_checks
from linewatch.doctor.findings import State
from linewatch.errors import LinewatchError
from linewatch.settings import Settings
from tests.support.pages import ROOT
from tests.support.records import a_record
from workers.maintenance import maintenance

FILE = """
timezone: Europe/Berlin
valid_from: {first}
shifts:
- {{name: early, starts: 05:50, ends: 13:50, days: mon-fri}}
- {{name: late, starts: 13:50, ends: 21:50, days: mon-fri}}
- {{name: night, starts: 21:50, ends: 05:50}}
"""


def run(*arguments: str) -> str:
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def refused(*arguments: str) -> str:
    result: Result = CliRunner().invoke(cli, arguments)
    assert isinstance(result.exception, LinewatchError), result.output
    return str(result.exception)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "calendar.yaml"
    path.write_text(FILE.format(first=date(2026, 3, 1)))
    return path


@pytest.fixture
def plant(make_settings: Callable[..., Settings], database_url: str) -> Settings:
    settings = make_settings(database_url=database_url, plant_timezone="Europe/Berlin")
    run("db", "upgrade")
    # At noon: late in the evening by UTC it is in the night shift of the plant's day before.
    when = (datetime.now(UTC) - timedelta(days=1)).replace(hour=12, minute=0)
    records = [a_record(part=None, line=line, decided_at=when, captured_at=when) for line in "AB"]
    commit_inspections(engine_for(database_url), records, UTC)
    return settings


def shown(*arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run("shifts", "show", *arguments, "--format", "json"))
    return found


def test_a_calendar_is_checked_imported_and_shown(plant: Settings, file: Path) -> None:
    before = shown()
    assert {row["shift"] for row in before} == {"early", "late", "night"}
    said = run("shifts", "check", str(file))
    assert "changes from 2026-03-01 on" in said
    assert "early 05:50-13:50 mon tue wed thu fri" in said
    assert "no shift from sat 05:50 to sat 21:50" in said
    assert re.search(r"night of 20\d\d-03-\d\d lasts 420 minutes, not 480: the clocks change", said)
    assert re.search(
        r"of the \d+ shifts and gaps of its first four weeks, \d+ are other ones", said
    )
    assert "2 parts made since would be looked at again" in said
    assert shown() == before, "nothing is written"
    said = run("shifts", "import", str(file))
    assert said.splitlines()[0] == "all lines: valid from 2026-03-01"
    assert "1 day counted anew" in said
    night = [row for row in shown("--day", "2026-10-25") if row["shift"] == "night"]
    assert night == [
        {
            "day": "2026-10-25",
            "weekday": "sun",
            "shift": "night",
            "starts": "2026-10-25T21:50+01:00",
            "ends": "2026-10-26T05:50+01:00",
            "minutes": 480,
            "clocks": "",
        }
    ]
    changed = [
        (row["shift"], row["minutes"], row["clocks"])
        for day in ("2026-10-24", "2027-03-27")
        for row in shown("--day", day)
    ]
    assert changed == [
        ("no shift", 960, ""),
        ("night", 540, "-60 min"),
        ("no shift", 960, ""),
        ("night", 420, "+60 min"),
    ]
    table = run("shifts", "show", "--line", "A", "--day", "2026-10-26")
    assert "Shifts of line A" in table
    assert "05:50+01:00" in table


def test_a_line_alone(plant: Settings, file: Path) -> None:
    said = run("shifts", "import", str(file), "--line", "A")
    assert said.splitlines()[0] == "A: valid from 2026-03-01"
    noon = datetime(2026, 10, 24, 12, tzinfo=UTC)  # a Saturday
    engine = engine_for(plant.sql_url)
    assert [spans(engine, line, noon, noon)[0].name for line in "AB"] == ["no shift", "late"]


def test_a_line_is_released(plant: Settings, file: Path) -> None:
    run("shifts", "import", str(file), "--line", "A")
    assert "A follows the plant's shifts" in run("shifts", "release", "A")
    noon = datetime(2026, 10, 24, 12, tzinfo=UTC)
    engine = engine_for(plant.sql_url)
    assert [spans(engine, line, noon, noon)[0].name for line in "AB"] == ["late", "late"]
    assert "'A' has no shifts of its own" in refused("shifts", "release", "A")
    assert "no line is called 'AA'" in refused("shifts", "release", "AA")


def test_names_that_are_not_there(plant: Settings, file: Path) -> None:
    assert refused("shifts", "import", str(file), "--line", "C").endswith(
        "no line is called 'C'; a line appears with its first picture; --new-lines takes one that "
        "is still to come"
    )
    assert "A1" in run("shifts", "import", str(file), "--line", "A1", "--new-lines")
    assert refused("shifts", "show", "--line", "a1").endswith("did you mean 'A1'?")
    file.write_text(file.read_text() + "lines: [A, B]\n")
    assert "says nothing of line 'C'" in refused("shifts", "check", str(file), "--line", "C")
    assert "'soon' is no time" in refused("shifts", "show", "--day", "soon")
    assert "they reach from 400 days back" in run("shifts", "show", "--day", "1990-01-01")


def test_the_example_of_the_docs_can_be_imported(plant: Settings, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    section = page.split("## Shift calendars", 1)[1].split("\n## ", 1)[0]
    found = re.search(r"```yaml\n(.*?)```", section, re.DOTALL)
    assert found is not None
    example = tmp_path / "calendar.yaml"
    example.write_text(found[1])
    assert "no line is called 'L2'" in refused("shifts", "check", str(example))
    said = run("shifts", "import", str(example), "--new-lines")
    assert [line.split(":")[0] for line in said.splitlines()[:2]] == ["all lines", "L2"]
    weekend = {row["shift"] for row in shown("--line", "L2", "--day", "2026-07-04")}
    assert weekend == {"day", "dark"}
    assert {row["shift"] for row in shown("--day", "2026-12-25")} == {"no shift"}


def test_shifts_are_made_ahead_every_night_and_the_doctor_looks(
    make_settings: Callable[..., Settings], sqlite_url: str
) -> None:
    settings = make_settings()
    (finding,) = calendar_checks.shifts(settings)
    assert (finding.state, finding.detail) == (
        State.WARN,
        "no shifts of the plant were made yet; run `linewatch db upgrade`",
    )
    assert re.fullmatch(r"\d{4} shifts made ahead", maintenance())
    assert maintenance() == "nothing to do"
    (finding,) = calendar_checks.shifts(settings)
    assert finding.state is State.OK
