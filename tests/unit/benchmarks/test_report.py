"""The one form of the result files."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.compact import report as compact_report
from benchmarks.receipt_watch import ids_in
from benchmarks.report import KEYS, RESULTS, document, environment, rounded, write
from tests.acceptance.faults import results

COMPACT = Path(__file__).parents[3] / "vision" / "weights_compact"


def test_a_result_has_the_form_and_says_where_it_was_measured(tmp_path: Path) -> None:
    made = document("x", settings={"batch": 32}, rows=[{"images_per_s": 1 / 3}], ratios={"r": 2.0})
    write(made, tmp_path / "deep" / "x.json")
    read = json.loads((tmp_path / "deep" / "x.json").read_text())
    assert tuple(read) == KEYS
    assert read["machine"]["cores"] == os.cpu_count()
    assert read["rows"] == [{"images_per_s": 0.3333}]
    assert read["settings"]["batch"] == 32
    assert list((tmp_path / "deep").iterdir()) == [tmp_path / "deep" / "x.json"]


def test_results_and_docs_are_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*words: str) -> str:
        own = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
        done = ["git", "-C", str(tmp_path), *own, *words]
        return subprocess.run(done, check=True, capture_output=True, text=True).stdout.strip()

    def written(name: str) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{len(path.read_text()) if path.exists() else 0}1")
        return name

    def committed(name: str) -> str:
        git("add", written(name))
        git("commit", "-m", name)
        return git("rev-parse", "--short", "HEAD")

    git("init")
    monkeypatch.setattr(report, "__file__", str(tmp_path / "benchmarks" / "report.py"))
    code = committed("benchmarks/report.py")
    head = committed("benchmarks/results/faults.json")
    assert (report.commit(), report.code_commit()) == (head, code)
    written("docs/promise.md")
    assert (report.commit(), report.code_commit()) == (head, code)
    written("benchmarks/report.py")
    assert (report.commit(), report.code_commit()) == (f"{head}+", f"{code}+")


def test_the_environment_is_told_without_secrets_and_places(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LINEWATCH_MAX_BATCH", "16")
    monkeypatch.setenv("LINEWATCH_SIGNING_KEYS", "1:secret")
    monkeypatch.setenv("LINEWATCH_DATABASE_URL", "postgresql://u:p@h/d")
    monkeypatch.setenv("LINEWATCH_WEIGHTS_DIR", "/somewhere")
    monkeypatch.setenv("HOME_SWEET", "home")
    told = environment()
    assert told["LINEWATCH_MAX_BATCH"] == "16"
    assert not {"LINEWATCH_SIGNING_KEYS", "LINEWATCH_DATABASE_URL"} & told.keys()
    assert "LINEWATCH_WEIGHTS_DIR" not in told
    assert "HOME_SWEET" not in told


def test_figures_keep_the_digits_that_mean_something() -> None:
    value = {"rate": 1234.567, "cosine": 0.99971234, "count": 7, "rows": [0.123456], "none": None}
    expected = {"rate": 1235.0, "cosine": 0.99971, "count": 7, "rows": [0.1235], "none": None}
    assert rounded(value) == expected


@pytest.mark.parametrize("path", sorted(RESULTS.glob("*.json")), ids=lambda path: path.stem)
def test_every_committed_result_has_the_form(path: Path) -> None:
    result = json.loads(path.read_text(encoding="utf-8"))
    assert set(KEYS) <= result.keys()
    assert result["name"] == path.stem
    assert all(isinstance(row, dict) for row in result["rows"])


@dataclass(frozen=True)
class Probe:
    encoder: str
    macro_f1: tuple[float, ...]
    pool: str = "cable"
    per_class: int | None = 5


def test_the_compact_encoders_report_has_the_form(tmp_path: Path) -> None:
    probes = [Probe("compact", (0.5, 0.7)), Probe("untrained", (0.25, 0.35))]
    compact_report.write_report(probes, [{"task": "x"}], {"draws": 2}, COMPACT, tmp_path / "c.json")
    made = json.loads((tmp_path / "c.json").read_text())
    assert tuple(made) == KEYS
    assert {"draws", "encoders", "training", "sha256"} <= made["settings"].keys()
    assert [row["task"] for row in made["rows"]] == ["linear probe", "linear probe", "x"]
    (ratio,) = made["ratios"].values()
    assert ratio["ratio"] == 2


def test_a_fault_takes_the_place_of_an_older_one_and_of_no_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "faults.json"
    path.write_text((RESULTS / "faults.json").read_text())
    monkeypatch.setenv("LINEWATCH_FAULTS_RESULTS", str(path))
    old = json.loads(path.read_text())["rows"]
    recorder = results.Recorder(path, "long")
    recorder.begin(old[0]["test"])
    begun = [row for row in json.loads(path.read_text())["rows"] if row not in old]
    assert {(row["test"], row["status"]) for row in begun} == {(old[0]["test"], "unfinished")}
    recorder.note(results.Row(old[0]["fault"], old[0]["database"], 1, 2, 0, 0, 1.25))
    recorder.end(None)
    made = json.loads(path.read_text())
    assert tuple(made) == KEYS
    assert str(path) not in path.read_text()  # the variable that names it is told to nobody
    others = [row for row in made["rows"] if row["test"] != old[0]["test"]]
    assert others == [row for row in old if row["test"] != old[0]["test"]]
    (mine,) = (row for row in made["rows"] if row not in others)
    assert (mine["recover_s"], mine["status"], mine["mode"]) == (1.25, "passed", "long")


def test_receipts_are_found_in_what_redis_shows() -> None:
    one, two = "01a21001-8a7a-7700-9eef-20a23a969773", "01a21001-8a7a-7700-9eef-20a342eb26e0"
    escaped = f'{{\\"version\\":1,\\"id\\":\\"{one}\\",\\"verdict\\":\\"pass\\"}}'
    shown = f'RPUSH linewatch:receipts:p {escaped} {{"id":"{two}","verdict":"defect"}}'
    assert [str(found) for found in ids_in(shown)] == [one, two]
