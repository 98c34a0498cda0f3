"""`linewatch db`, `products` and `report`, as typed."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from db import migrate
from db.inspections.inspections import commit_inspections
from db.migrate import newest
from db.session import engine_for, transaction
from linewatch.cli import cli
from linewatch.errors import ReportError
from linewatch.settings import Settings
from producer.contract import Verdict
from tests.support.records import a_record


def run(*arguments: str) -> str:
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def filled(make_settings: Callable[..., Settings], database_url: str) -> Settings:
    settings = make_settings(database_url=database_url, plant_timezone="Asia/Kolkata")
    now = datetime.now(UTC)
    kinds = [(Verdict.PASS, None)] * 3 + [(Verdict.DEFECT, "bent_wire")]
    records = [
        a_record(verdict=verdict, defect_class=defect, decided_at=now, lot="=HYPERLINK(1)")
        for verdict, defect in kinds
    ]
    commit_inspections(engine_for(database_url), records, settings.timezone)
    return settings


def test_json(filled: Settings) -> None:
    by_line = ("report", "pictures", "--by", "line", "--format", "json")
    rows: list[dict[str, Any]] = json.loads(run(*by_line))
    assert [(row["line"], row["inspected"], row["defect_rate"]) for row in rows] == [
        ("L1", 4, 0.25)
    ]
    (row,) = json.loads(run("report", "model", "--format", "json"))
    assert (row["product"], row["model_version"], row["inspected"]) == ("cable", "cable-1", 4)
    assert row["first_hour"].endswith("+05:30")
    assert json.loads(run("report", "classes", "--format", "json")) == []


def test_csv_runs_in_no_spreadsheet(filled: Settings) -> None:
    arguments = ("report", "pictures", "--by", "lot", "--by", "day", "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(run(*arguments)))
    assert row["lot"] == "'=HYPERLINK(1)"
    assert row["passed"] == "3"
    assert row["day"] == datetime.now(filled.timezone).date().isoformat()


def test_table(filled: Settings) -> None:
    table = run("report", "pictures", "--since", "today")
    assert "25.00%" in table
    assert "C1" in table
    assert "nothing was inspected" in run("report", "pictures", "--until", "2000-01-01")


def test_products(make_settings: Callable[..., Settings], sqlite_url: str, tmp_path: Path) -> None:
    make_settings()
    assert "no products" in run("products", "list")
    assert "cable: 9 classes" in run("products", "register")
    (row,) = json.loads(run("products", "list", "--format", "json"))
    assert row["product"] == "cable"
    assert row["good_class"] == "good"
    assert row["image_size"] == "1024x1024"


def shell(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "linewatch", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("report", ["pictures", "defect-rate", "versions"])
def test_nobody_is_shown_a_year_of_hours(filled: Settings, report: str) -> None:
    command = ("report", report, "--by", "hour")
    assert run(*command, "--since", "28d")
    every = CliRunner().invoke(cli, [*command, "--since", "365d", "--format", "json"])
    assert len(json.loads(every.stdout)) == 1
    refused = CliRunner().invoke(cli, [*command, "--since", "365d"])
    assert isinstance(refused.exception, ReportError)
    assert "by hour, this range is 8,760 rows or more: too many to read" in str(refused.exception)
    assert "28 days, group by day, or write all of them: --format csv" in str(refused.exception)
    assert run(*command)  # what is counted begins today


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("db", "check"), "run `linewatch db upgrade`"),
        (("report", "pareto"), "run `linewatch db upgrade`"),
        (("products", "list"), "run `linewatch db upgrade`"),
        (("products", "register", "/nowhere.yaml"), "/nowhere.yaml"),
        (("report", "model", "--since", "soon"), "'soon' is no time"),
        (("report", "pareto", "--since", "1h", "--until", "2h"), "the range ends before it begins"),
        (("report", "pareto", "--by", "colour"), "'colour' is not one of"),
    ],
)
def test_errors_are_one_sentence_and_code_2(
    make_settings: Callable[..., Settings], arguments: tuple[str, ...], words: str
) -> None:
    make_settings()
    result = shell(*arguments)
    assert result.returncode == 2
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_an_absent_server_is_one_sentence(make_settings: Callable[..., Settings]) -> None:
    make_settings(database_url="postgresql://u:hunter2@127.0.0.1:9/none")
    result = shell("report", "defect-rate")
    assert result.returncode == 2
    assert "is it running" in result.stderr
    assert "hunter2" not in result.stderr
    assert "Traceback" not in result.stderr


def test_an_upgrade_says_that_roles_lack_their_rights(
    make_settings: Callable[..., Settings], empty_postgresql_url: str
) -> None:
    """Workers of this version would hold every verdict for want of a function's."""
    make_settings(database_url=empty_postgresql_url)
    migrate.upgrade(empty_postgresql_url, "0035")
    with transaction(engine_for(empty_postgresql_url)) as connection:
        connection.execute(text("GRANT SELECT ON alembic_version TO pg_monitor"))
    sentence = "run `linewatch db roles --apply` before programs of this version start"
    assert sentence in run("db", "upgrade")
    assert sentence not in run("db", "upgrade")


def test_db_upgrade_check_current(make_settings: Callable[..., Settings]) -> None:
    make_settings()
    assert run("db", "current") == "none\n"
    assert run("db", "upgrade") == f"upgraded to {newest()}\n"
    assert run("db", "upgrade") == f"up to date at {newest()}\n"
    assert run("db", "current") == f"{newest()}\n"
    assert run("db", "check") == "the schema is current\n"
