"""docs/benchmarks.md is made from the result files, and says what was not reached."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from benchmarks import suite, table
from linewatch.commands import bench
from linewatch.errors import ServiceError


def a_result(name: str, **changes: Any) -> dict[str, Any]:
    usual = {
        "name": name,
        "when": "2026-01-02T03:04:05+00:00",
        "commit": "abc1234",
        "machine": "2 cores",
        "settings": {"batch": 32, "skipped": {"postgresql": "none here"}},
        "rows": [{"way": "bare loop", "images_per_s": {"median": 8.25, "lowest": 8.0}}],
        "ratios": {"pipeline_to_bare": 0.93},
    }
    return usual | changes


def test_the_page_is_current() -> None:
    assert table.PAGE.read_text() == table.page(), "run `python -m benchmarks.table`"


def test_check_fails_on_an_old_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "PAGE", tmp_path / "benchmarks.md")
    assert CliRunner().invoke(table.main, ["--check"]).exit_code == 1
    assert CliRunner().invoke(table.main, []).exit_code == 0
    assert CliRunner().invoke(table.main, ["--check"]).exit_code == 0


def an_estimate(median: float, low: float | None, high: float | None) -> dict[str, Any]:
    return {"median": median, "low": low, "high": high, "rounds": 5, "thrown_out": 2}


@pytest.mark.parametrize(
    ("value", "cells", "said"),
    [
        (an_estimate(0.97, 0.951, 0.99), "0.97 [0.951, 0.99] | 5 | 2", "| met |"),
        (an_estimate(0.97, 0.94, 0.99), "0.97 [0.94, 0.99] | 5 | 2", "**undecided**"),
        (an_estimate(0.93, 0.92, 0.94), "0.93 [0.92, 0.94] | 5 | 2", "**not met**"),
        (an_estimate(0.97, None, None), "0.97 | 5 | 2", "**no interval**"),
        (0.97, "0.97 | – | –", "**no interval**"),  # the form of results before there were any
    ],
)
def test_the_page_says_whether_a_target_is_met(
    tmp_path: Path, value: Any, cells: str, said: str
) -> None:
    result = a_result("pipeline", ratios={"pipeline_to_bare": value})
    (tmp_path / "pipeline.json").write_text(json.dumps(result))
    line = next(x for x in table.page(tmp_path).splitlines() if "`pipeline_to_bare`" in x)
    assert said in line
    assert f"| {cells} |" in line
    unmeasured = next(x for x in table.page(tmp_path).splitlines() if "`p99_to_p50`" in x)
    assert "not yet" in unmeasured
    assert cells.removesuffix(" | – | –") in table.result_as_text(result)


def test_the_page_shows_what_else_the_machine_did(tmp_path: Path) -> None:
    settings = {"conditions": [{"what": "torch", "round": 1, "steal %": 0.5, "used": False}]}
    (tmp_path / "x.json").write_text(json.dumps(a_result("x", settings=settings)))
    text = table.page(tmp_path)
    assert "The machine, round by round" in text
    assert "| torch | 1 | 0.5 | False |" in text
    assert "- conditions" not in text


def test_what_another_page_shows_is_not_shown_twice(tmp_path: Path) -> None:
    (tmp_path / "faults.json").write_text(json.dumps(a_result("faults")))
    assert "## faults" not in table.page(tmp_path)


def test_rows_of_different_columns_make_one_table(tmp_path: Path) -> None:
    rows = [{"a": 1, "rate": {"median": 12345.6}}, {"a": "x|y", "b": None}]
    (tmp_path / "x.json").write_text(json.dumps(a_result("x", rows=rows)))
    text = table.page(tmp_path)
    assert "| a | rate median | b |" in text
    assert "| 1 | 12,346 |  |" in text
    assert "| x\\|y |  |  |" in text
    assert "skipped postgresql: none here" in text


def test_names_are_listed_and_a_wrong_one_is_refused() -> None:
    listed = CliRunner().invoke(bench.command, ["list"])
    assert listed.exit_code == 0
    assert [line.split()[0] for line in listed.output.splitlines()] == list(suite.BENCHES)
    refused = CliRunner().invoke(bench.command, ["speed"])
    assert refused.exit_code == 2
    assert "no benchmark is called speed; choose from pipeline" in refused.output


def test_outside_a_checkout_the_command_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    refused = CliRunner().invoke(bench.command, ["list"])
    assert refused.exit_code == 2
    assert "clone the repository" in refused.output


def test_all_goes_on_after_one_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def run(name: str, *, quick: bool) -> None:
        ran.append(name)
        if name == "naive":
            raise ServiceError("no worker")

    monkeypatch.setattr(suite, "run_and_write", run)
    monkeypatch.setattr(table, "PAGE", tmp_path / "benchmarks.md")
    done = CliRunner().invoke(bench.command, ["all", "--quick"])
    assert ran == list(suite.BENCHES)
    assert done.exit_code == 1
    assert "not measured: naive" in done.output
    assert (tmp_path / "benchmarks.md").exists()
