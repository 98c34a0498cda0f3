"""`linewatch report … --out FILE`, as typed, and with the rights of a reader of reports."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pyarrow import parquet

from db.inspections.inspections import commit_inspections
from db.labels import golden_members
from db.labels.labels import NewLabel, add_labels
from db.products import register
from db.reports.report import Report
from db.session import engine_for
from linewatch.cli import cli
from linewatch.commands._report_output import Output
from linewatch.commands.report import command
from linewatch.errors import ReportError
from linewatch.products import parse_product
from linewatch.settings import Settings
from producer.contract import Reason, Verdict
from tests.support.committed import committed
from tests.support.database_users import Users, database_users
from tests.support.records import CLASSES, a_record

NEEDED: dict[str, tuple[str, ...]] = {
    "agreement": ("--product", "cable"),
    "lot": ("=1+1",),
    "trend": ("--since", "30d"),
}
GROUPED: dict[str, tuple[str, ...]] = {
    "defect-rate": ("--by", "line", "--by", "hour", "--by", "day"),
    "first-pass": ("--by", "week", "--by", "month", "--by", "quarter"),
    "pictures": ("--by", "camera", "--by", "day", "--by", "hour"),
}
REFUSE_NOTHING = {"agreement", "lot"}  # where there is nothing, they say what is missing
NEED_MODELS = {"shadow", "containment"}  # see tests/integration/training/test_reports_role.py


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["report", *arguments])


def run(*arguments: str) -> str:
    result = invoke(*arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def fill(url: str) -> None:
    """Two lines' parts: good ones, a bad one, open ones; one that a person found to be bad.

    Their lot would be a formula.
    """
    engine = engine_for(url)
    listed = [{"code": code, "good": code == "good"} for code in CLASSES]
    committed(engine, register, parse_product({"product": "cable", "classes": listed}, "tests"))
    kinds: list[dict[str, Any]] = [
        {"part": "S1"},
        {"part": "S2"},
        {"part": "S3", "verdict": Verdict.DEFECT, "defect_class": "bent_wire"},
        {"part": "S4", "verdict": Verdict.REVIEW},
        {"part": None, "verdict": Verdict.REVIEW},
        {"part": "S5", "verdict": Verdict.REJECTED, "reason": Reason.CORRUPT},
        {"part": "T1", "line": "L2", "lot": "A"},
    ]
    ago = datetime.now(UTC) - timedelta(hours=2)
    times = {"captured_at": ago, "enqueued_at": ago, "decided_at": ago + timedelta(seconds=1)}
    records = [a_record(**{"lot": "=1+1", **times, **kind}) for kind in kinds]
    commit_inspections(engine, records, UTC)
    committed(engine, add_labels, [NewLabel(records[0].id, "bent_wire", "ann")])
    committed(engine, golden_members.add, "cable", "g", {records[1].id: "good"}, by="ann")


@pytest.fixture
def filled(make_settings: Callable[..., Settings], database_url: str) -> Settings:
    fill(database_url)
    return make_settings(database_url=database_url, plant_timezone="Asia/Kolkata")


@pytest.fixture
def readers(postgresql_url: str) -> Iterator[Users]:
    fill(postgresql_url)
    with database_users(postgresql_url) as users:
        yield users


def commands() -> list[str]:
    return sorted(set(command.commands) - NEED_MODELS)


@pytest.mark.parametrize("name", sorted(set(commands()) - REFUSE_NOTHING))
def test_a_report_without_rows_has_the_columns_of_one_with_rows(
    make_settings: Callable[..., Settings], sqlite_url: str, tmp_path: Path, name: str
) -> None:
    """Names and types: a job that reads the files of every day reads those of a quiet one."""
    make_settings(database_url=sqlite_url)
    arguments = [name, *NEEDED.get(name, ()), *GROUPED.get(name, ())]
    quiet, busy = tmp_path / "quiet.parquet", tmp_path / "busy.parquet"
    assert json.loads(run(*arguments, "--format", "json")) == []
    (header,) = csv.reader(io.StringIO(run(*arguments, "--format", "csv")))
    run(*arguments, "--out", str(quiet))
    fill(sqlite_url)
    busy_header, *rows = csv.reader(io.StringIO(run(*arguments, "--format", "csv")))
    assert header == busy_header
    assert rows or name == "classes"
    run(*arguments, "--out", str(busy))
    types = {column.name: column.type for column in parquet.read_schema(quiet)}
    held = parquet.read_table(busy)
    assert set(types) == set(held.column_names)
    filled = [column for column in held.schema if held[column.name].null_count < len(held)]
    assert [(column.name, types[column.name]) for column in filled] == [
        (column.name, column.type) for column in filled
    ]


def test_every_report_is_written_to_every_kind_of_file(
    make_settings: Callable[..., Settings], sqlite_url: str, tmp_path: Path
) -> None:
    fill(sqlite_url)
    make_settings()
    for name in commands():
        arguments = (name, *NEEDED.get(name, ()))
        rows = json.loads(run(*arguments, "--format", "json"))
        for ending in ("csv", "json", "parquet", "xlsx", "html"):
            path = tmp_path / f"{name}.{ending}"
            said = run(*arguments, "--out", str(path))
            assert said.startswith(f"{path}: {len(rows)} rows" if rows else f"{path}: ")
            assert path.stat().st_size > 0 or not rows
        assert strip(json.loads((tmp_path / f"{name}.json").read_text())["rows"]) == strip(rows)
    assert not list(tmp_path.glob(".report-*"))


def strip(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what differs from one moment to the next."""
    return [{k: v for k, v in row.items() if k != "oldest_age_h"} for row in rows]


def test_a_file_has_the_numbers_that_are_printed(filled: Settings, tmp_path: Path) -> None:
    by = ("defect-rate", "--by", "line", "--by", "lot", "--since", "3h")
    printed = json.loads(run(*by, "--format", "json"))
    assert [(row["lot"], row["parts"], row["rate"]) for row in printed] == [
        ("=1+1", 6, 2 / 3), ("A", 1, 0.0)
    ]  # fmt: skip
    run(*by, "--out", str(tmp_path / "r.parquet"))
    assert parquet.read_table(tmp_path / "r.parquet").to_pylist() == printed
    run(*by, "--out", str(tmp_path / "r.csv"))
    first, _ = csv.DictReader(io.StringIO((tmp_path / "r.csv").read_text()))
    assert (first["lot"], first["parts"], first["open"]) == ("'=1+1", "6", "3")
    assert (tmp_path / "r.csv").read_text() == run(*by, "--format", "csv")


def test_reports_of_parts_and_pictures_have_their_rows(filled: Settings) -> None:
    def rows(*arguments: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(run(*arguments, "--format", "json"))
        return found

    (row,) = rows("rejected")
    assert (row["camera"], row["reason"], row["pictures"]) == ("C1", "corrupt", 1)
    assert row["last_at"].endswith("+05:30")
    assert [(row["line"], row["pictures"], row["latency_p50_s"]) for row in rows("flow")] == [
        ("L1", 6, 1.0), ("L2", 1, 1.0)
    ]  # fmt: skip
    found = {row["why"]: row for row in rows("backlog")}
    assert {why: row["parts"] for why, row in found.items()} == {"review": 2, "rejected": 1}
    assert (found["review"]["unserialised"], found["rejected"]["unserialised"]) == (1, 0)
    assert 2 <= found["review"]["oldest_age_h"] < 2.3
    assert found["rejected"]["oldest_age_h"] == pytest.approx(2, abs=0.05)
    said = [(row["of"], row["class"], row["escapes"]) for row in rows("label-verdict")]
    assert said == [("picture", "bent_wire", 1), ("part", "bent_wire", 1)]
    (row,) = rows("versions", "--by", "month")
    assert (row["model_version"], row["parts"], row["open_share"]) == ("cable-1", 7, 3 / 7)
    assert [(r["class"], r["labelled"], r["missing"]) for r in rows("label-progress")] == [
        ("good", 0, 3), ("bent_wire", 1, 2), ("missing_wire", 0, 3)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--out", "r.xls"), "a report is written to .csv, .json, .parquet, .xlsx, .html"),
        (("--out", "none/r.csv"), "there is no folder 'none'"),
        (("--out", "there.csv"), "'there.csv' exists; name another file, or replace it with"),
        (("--out", "r.csv", "--format", "json"), "the ending of --out says the format"),
        (("--force",), "--force replaces the file of --out"),
        (("--line", "l1"), "no line is called 'l1'; did you mean 'L1'?"),
        (("--line", "\x1b[2J\u202e"), r"no line is called '\x1b[2J\u202e'"),
        (("--line", "S" * 4096), "no line is called 'SSS"),
        (("--line", "nul\x00"), "no line is called 'nul"),
        (("--product", "lone \ud800"), "no product is called"),
    ],
)
def test_what_cannot_be_written_or_found_is_one_sentence(
    filled: Settings,
    options: tuple[str, ...],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.csv").write_text("mine")
    before = sorted(tmp_path.iterdir())
    for name in ("backlog", "rejected", "flow", "label-verdict", "versions"):
        if set(options) & {"--line", "--product"} and name == "flow":
            options = (*options, "--since", "1h")
        result = invoke(name, *options)
        assert result.exit_code != 0
        message = result.output + str(result.exception)
        assert words in message, (name, message)
        assert "\n" not in str(result.exception)
    assert (tmp_path / "there.csv").read_text() == "mine"
    assert sorted(tmp_path.iterdir()) == before


def test_names_that_no_database_takes_are_only_unknown(filled: Settings) -> None:
    for arguments in (
        ("lot", "nul\x00"),
        ("lot", "lone \ud800"),
        ("lot", "=1+1", "--product", "\x00"),
        ("pareto", "--class", "\x00", "--product", "\x00"),
        ("defect-rate", "--lot", "\x00"),
        ("trend", "--since", "1d", "--line", "\ud800"),
    ):
        result = invoke(*arguments)
        assert "is called" in str(result.exception), (arguments, result.exception)
    for name in ("pictures", "model", "label-progress", "classes"):
        assert "no product is called" in str(invoke(name, "--product", "nul\x00").exception)
    assert "did you mean 'cable'" in str(invoke("classes", "--product", "Cabel").exception)
    assert json.loads(run("classes", "--product", "cable", "--format", "json")) == []


def test_a_file_that_appeared_meanwhile_is_not_replaced(filled: Settings, tmp_path: Path) -> None:
    path = tmp_path / "r.html"
    output = Output.of(None, path, False)
    path.write_text("somebody's")
    with pytest.raises(ReportError, match="exists"):
        output.write(Report("r", "A report"))
    assert path.read_text() == "somebody's"


def test_force_replaces_the_file(filled: Settings, tmp_path: Path) -> None:
    path = tmp_path / "r.html"
    path.write_text("old")
    run("defect-rate", "--out", str(path), "--force")
    assert path.read_text().startswith("<!doctype html>")


def test_a_reader_of_reports_runs_them_all(
    readers: Users, make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    make_settings(database_url=readers.url("reports"))
    for name in commands():
        run(name, *NEEDED.get(name, ()), "--out", str(tmp_path / f"{name}.json"))
