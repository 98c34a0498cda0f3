"""The one form of the result files."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks import compact_report
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
    monkeypatch.setattr(results, "LONG", True)
    monkeypatch.setenv("LINEWATCH_FAULTS_RESULTS", str(path))
    old = json.loads(path.read_text())["rows"]
    results.record(results.Row(old[0]["fault"], old[0]["database"], 1, 2, 0, 0, 1.25))
    made = json.loads(path.read_text())
    assert tuple(made) == KEYS
    assert str(path) not in path.read_text()  # the variable that names it is told to nobody
    assert made["rows"][1:] == old[1:]
    assert made["rows"][0]["recover_s"] == 1.25


def test_receipts_are_found_in_what_redis_shows() -> None:
    one, two = "01a21001-8a7a-7700-9eef-20a23a969773", "01a21001-8a7a-7700-9eef-20a342eb26e0"
    escaped = f'{{\\"version\\":1,\\"id\\":\\"{one}\\",\\"verdict\\":\\"pass\\"}}'
    shown = f'RPUSH linewatch:receipts:p {escaped} {{"id":"{two}","verdict":"defect"}}'
    assert [str(found) for found in ids_in(shown)] == [one, two]
