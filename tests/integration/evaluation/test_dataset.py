"""`linewatch evaluate dataset`, and repeated cross-validation beneath it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from linewatch.cli import cli
from linewatch.errors import ConfigurationError, EvaluationError, LinewatchError
from linewatch.evaluation.pictures import FeatureCache
from linewatch.settings import Settings
from model_store.validation.crossval import cross_validate
from model_store.validation.repeated import drawn_rows, repeat, spread
from tests.unit.model_store.conftest import blobs

COLOURS = {"blue": (200, 60, 40), "green": (40, 200, 60), "red": (40, 60, 200)}


@pytest.fixture
def folder(tmp_path: Path, make_settings: Callable[..., Settings]) -> Path:
    """Eight noisy pictures of each of three colours, and one class of two pictures."""
    make_settings()
    rng = np.random.default_rng(0)
    for kind, colour in {**COLOURS, "rare": (128, 128, 128)}.items():
        (tmp_path / "set" / kind).mkdir(parents=True)
        for number in range(2 if kind == "rare" else 8):
            noise = rng.integers(-30, 30, (64, 64, 3))
            pixels = np.clip(np.asarray(colour) + noise, 0, 255).astype(np.uint8)
            cv2.imwrite(str(tmp_path / "set" / kind / f"{number}.png"), pixels)
    (tmp_path / "set" / "red" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n no more")
    (tmp_path / "set" / "red" / "notes.txt").write_text("no picture")
    return tmp_path / "set"


def evaluate(folder: Path, out: Path, *more: str) -> tuple[str, dict[str, Any]]:
    command = ["evaluate", "dataset", str(folder), "--json", str(out), *more]
    result = CliRunner().invoke(cli, command, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(out.read_text())
    return result.output, found


def test_12_bits_in_16_are_worth_as_much_as_8(
    tmp_path: Path, make_settings: Callable[..., Settings]
) -> None:
    """Faint scratches: what is taken for 16 bits is 16 times too dark to show them."""
    make_settings()
    rng = np.random.default_rng(0)
    for number in range(16):
        kind = ("good", "scratch")[number % 2]
        values = rng.normal(2480, 40, (256, 256))
        if kind == "scratch":
            mark = np.zeros((256, 256), np.uint8)
            x, y = map(int, rng.integers(40, 120, 2))
            cv2.line(mark, (x, y), (x + 90, y + 60), 1, 4)
            values += 110 * mark
        deep = values.clip(0, 4095).astype(np.uint16)
        eight = (deep / 16.06).round().astype(np.uint8)
        for name, pixels in (("eight", eight), ("mono12", deep)):
            folder = tmp_path / name / kind
            folder.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / f"{number}.png"), pixels)
    out = tmp_path / "out.json"
    accuracy = [
        evaluate(tmp_path / name, out, "--seeds", "2", *more)[1]["figures"]["accuracy"]["mean"]
        for name, more in (("eight", ()), ("mono12", ()), ("mono12", ("--bits", "12")))
    ]
    assert accuracy[0] == accuracy[2] > accuracy[1]


def test_a_folder_is_judged_and_its_features_are_kept(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    text, found = evaluate(folder, out, "--seeds", "3", "--per-class", "6")
    assert found["figures"]["macro_f1"]["mean"] > 0.9  # colours are easy
    assert "rare: fewer parts than folds" in text
    assert "parts ·" not in text
    assert "broken.png" in text
    assert "compact" in text
    assert found["left_out"][0]["file"].endswith("broken.png")
    assert found["pictures"] == {"blue": 8, "green": 8, "red": 8, "rare": 2}
    rows = {row["class"]: row for row in found["classes"]}
    assert (rows["red"]["support"], rows["rare"]["scored"]) == (6, False)
    with_rare, without = (
        found["figures"][k]["mean"] for k in ("macro_f1_with_unscored", "macro_f1")
    )
    assert with_rare == pytest.approx(without * 3 / 4)
    assert len(found["draws"]) == 3
    kept = list((tmp_path / "feature-cache").rglob("*.npy"))
    assert len(kept) == 26
    stamps = {path: path.stat().st_mtime_ns for path in kept}
    kept[0].write_bytes(b"damaged")
    _, again = evaluate(folder, out, "--seeds", "3", "--per-class", "6")
    assert again == found
    changed = [path for path in kept if path.stat().st_mtime_ns != stamps[path]]
    assert changed == [kept[0]]  # all others were read, and none was computed again


def test_pictures_of_a_part_are_in_one_fold(folder: Path, tmp_path: Path) -> None:
    """Two pictures a part: of the eight of a class four parts, and the rare one is of one."""
    out = tmp_path / "out.json"
    for path in list(folder.rglob("*.png")):
        if path.stem.isdigit():
            number = int(path.stem)
            path.rename(path.with_name(f"{path.parent.name}-{number // 2}-{number % 2}.png"))
    _, found = evaluate(folder, out, "--seeds", "1", "--group-by", r"(\w+-\d)-")
    assert (found["parts"], found["group_by"]) == (13, r"(\w+-\d)-")
    text, of_blue = evaluate(folder, out, "--seeds", "1", "--group-by", r"blue|\w+-\d")
    assert "26 pictures of 10 parts" in text
    assert "note: blue, rare: fewer parts than folds" in text
    assert [row["class"] for row in of_blue["classes"] if row["scored"]] == ["green", "red"]


def test_a_cache_that_cannot_be_written_costs_time_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = FeatureCache(tmp_path / "file", "f" * 64)
    cache.put("a" * 64, np.zeros(3, np.float32))
    assert cache.get("a" * 64, 3) is None


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ("empty", EvaluationError, "at least two class sub-folders; there is none"),
        ("one", EvaluationError, "there is only 'blue'"),
        ("recipe", ConfigurationError, "no recipe is called 'soup'"),
        ("unreadable", EvaluationError, "fewer than two classes with readable pictures"),
    ],
)
def test_bad_folders_are_one_sentence(
    folder: Path, tmp_path: Path, change: str, error: type[LinewatchError], words: str
) -> None:
    where, more = folder, []
    if change == "empty":
        where = folder / "blue"
    elif change == "one":
        where = tmp_path / "one"
        where.mkdir()
        (folder / "blue").rename(where / "blue")
    elif change == "recipe":
        more = ["--recipe", "soup"]
    else:
        for path in folder.rglob("*.png"):
            path.write_bytes(b"nothing")
    result = CliRunner().invoke(cli, ["evaluate", "dataset", str(where), *more])
    assert isinstance(result.exception, error)
    assert words in str(result.exception)


def test_each_draw_is_a_cross_validation_of_its_own() -> None:
    features, labels = blobs({"a": 12, "b": 9, "c": 12}, spread=2.0)
    found = repeat(features, labels, seeds=4)
    for seed, one in enumerate(found.validations):
        alone = cross_validate(features, labels, random_state=seed)
        assert one.predictions.tolist() == alone.predictions.tolist()
    values = [one.macro_f1 for one in found.validations]
    assert found.figures["macro_f1"].mean == pytest.approx(np.mean(values))
    rows = drawn_rows(np.asarray(labels), 5, seed=1)
    assert sorted(np.asarray(labels)[rows].tolist()) == ["a"] * 5 + ["b"] * 5 + ["c"] * 5
    assert rows.tolist() != drawn_rows(np.asarray(labels), 5, seed=2).tolist()


def test_the_interval_covers_the_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(400):
        one = spread(rng.normal(0.7, 0.1, size=10).tolist())
        assert one.low is not None
        assert one.high is not None
        hits += one.low <= 0.7 <= one.high
    assert 0.92 < hits / 400 < 0.98
    assert spread([0.5]).low is None
    few = spread([0.6, 0.9])  # Student's reaches from -1.2 to 2.7
    assert (few.low, few.high) == (0.0, 1.0)
