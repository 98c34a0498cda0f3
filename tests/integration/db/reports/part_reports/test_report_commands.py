"""`linewatch report` of parts, as typed; by every reader of reports."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from db.session import engine_for
from linewatch.cli import cli
from linewatch.errors import LinewatchError
from linewatch.settings import Settings
from tests.support.counted_parts import SATURDAY, Made, random_parts, store, usual
from tests.support.database_users import database_users

COMMANDS = (
    "defect-rate --by line --by day --lot A",
    "first-pass --by month --by work-order --since 2026-03-28",
    "pareto --class cut --since 2026-03-28T05:50 --until 2026-03-30",
    "trend --since 2026-03-29 --until 2026-03-30 --by model-version",
    "lot A",
    "lot A --product plug",
    *("pictures", "pictures --by camera --by hour", "classes", "model"),
)


def typed(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["report", *arguments])


def refused(found: Result) -> str:
    """The sentence in which a command was refused."""
    if isinstance(found.exception, LinewatchError):
        return str(found.exception)
    assert found.exit_code == 2, found.output
    return found.stderr


@pytest.fixture
def settings(make_settings: Callable[..., Settings], database_url: str) -> Settings:
    return make_settings(database_url=database_url, plant_timezone="Europe/Berlin")


@pytest.mark.parametrize("line", COMMANDS)
def test_every_report_in_every_format(settings: Settings, engine: Engine, line: str) -> None:
    store(engine, random_parts(21, 200), usual())
    for format_ in ("table", "csv", "json"):
        found = typed(*line.split(), "--format", format_)
        assert found.exit_code == 0, found.exception
        assert found.stdout.strip() or format_ == "csv"


def test_json_is_rows_alone_and_notes_are_beside_them(settings: Settings, engine: Engine) -> None:
    store(engine, [Made(SATURDAY, serial="S")], usual())
    since = ("--since", "2026-03-28T03:55")
    found = typed("defect-rate", *since, "--by", "day", "--by", "hour", "--format", "json")
    (row,) = json.loads(found.stdout)
    assert list(row)[:4] == ["day", "hour", "parts", "conforming"]
    assert (row["day"], row["hour"]) == ("2026-03-27", "2026-03-28T04:00+01:00")
    assert found.stderr.startswith("counted: 2026-03-28T03:45+01:00 to now; ")
    assert "counted: " in typed("defect-rate", *since).stdout


def test_rates_are_shown_as_shares(settings: Settings, engine: Engine) -> None:
    bad = Made(SATURDAY, disposition="nonconforming", classes="cut", serial="B")
    store(engine, [bad, *(Made(SATURDAY, serial=f"S{n}") for n in range(3))], usual())
    table = typed("first-pass").stdout
    assert "25.00%" in table
    assert "75.00%" in table
    assert "250000" in table
    assert "250000." not in table
    assert "cut" in typed("pareto").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("defect-rate --line L9", "no line is called 'L9'; known: L1"),
        ("defect-rate --by camera", "`linewatch report pictures` counts pictures by camera"),
        ("first-pass --since now --until 1h", "the range ends before it begins"),
        (
            "trend --since 2026-03-29T02:30 --until 2026-03-29T03:10",  # the clocks go forward
            "ends before it begins: 2026-03-29T03:30+02:00 to 2026-03-29T03:10+02:00",
        ),
        ("flow --since=", "'' is no time"),
        ("pareto --since 2999-01-01", "the range is in the future"),
        ("pictures --since 2999-01-01", "the range is in the future"),
        ("trend", "say since when"),
        ("trend --since 7d --by day", "'day' is not one of"),
        ("lot LOT-9", "no lot is called 'LOT-9'"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    settings: Settings, engine: Engine, arguments: str, words: str
) -> None:
    store(engine, [Made(SATURDAY, serial="S")], usual())
    found = typed(*arguments.split())
    assert words in refused(found)
    assert found.stdout == ""


def test_reports_need_no_more_than_the_role_for_reports(
    make_settings: Callable[..., Settings], postgresql_url: str
) -> None:
    store(engine_for(postgresql_url), random_parts(22, 300), usual())
    with database_users(postgresql_url) as users:
        make_settings(database_url=users.url("reports"), plant_timezone="Europe/Berlin")
        for line in COMMANDS:
            found = typed(*line.split(), "--format", "json")
            assert found.exit_code == 0, (line, found.exception)
        assert "no product is called 'cable'" in refused(typed("shadow", "cable"))
        assert "no line is called 'L7'" in refused(typed("defect-rate", "--line", "L7"))
        assert "no class is called 'x'" in refused(typed("pareto", "--class", "x"))
