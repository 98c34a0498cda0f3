"""`linewatch evaluate unlike-good`: a folder of plain pictures, and scratched ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from linewatch.cli import cli
from linewatch.errors import EvaluationError
from linewatch.settings import Settings

SIDE = 224


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """28 good pictures of noise, and four with a scratch in the upper right quarter."""
    folder = tmp_path_factory.mktemp("set")
    rng = np.random.default_rng(0)
    for kind, count in {"fine": 28, "scratch": 4}.items():
        (folder / kind).mkdir()
        for number in range(count):
            pixels = rng.normal(120, 8, (SIDE, SIDE, 3))
            if kind == "scratch":
                mark = np.zeros((SIDE, SIDE), np.uint8)
                cv2.line(mark, (140, 20 + number), (200, 80), 1, 4)
                pixels[mark > 0] += 110
            name = str(folder / kind / f"{number}.png")
            cv2.imwrite(name, np.clip(pixels, 0, 255).astype(np.uint8))
    (folder / "fine" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n no more")
    return folder


@pytest.fixture(autouse=True)
def _plant(make_settings: Callable[..., Settings]) -> None:
    make_settings()


def test_scratches_are_caught_and_shown_where_they_are(pictures: Path, tmp_path: Path) -> None:
    maps, out = tmp_path / "maps", tmp_path / "out.json"
    options = ["--good", "fine", "--draws", "1", "--maps", str(maps), "--json", str(out)]
    command = ["evaluate", "unlike-good", str(pictures), *options, "--stages", "-4,-3,-2"]
    said = CliRunner().invoke(cli, [*command, "--stages", "-3"], catch_exceptions=False)
    assert said.exit_code == 0, said.output
    assert "left out" in said.output
    found = json.loads(out.read_text())
    rows = {(row["rule"], row["stages"]): row for row in found["rows"]}
    assert set(rows) == {
        ("one-class distance", ""),
        *((rule, of) for rule in ("memory of patches", "both") for of in ("-4,-3,-2", "-3")),
    }
    memory = rows["memory of patches", "-4,-3,-2"]
    assert (memory["auroc"], memory["caught"]) == (1, 1)
    assert memory["good_flagged"] <= 0.5
    assert sorted(path.name for path in maps.rglob("*.png")) == [f"{i}.png" for i in range(4)]
    shown = cv2.imread(str(maps / "scratch" / "0.png")).astype(int)
    redness = shown[..., 2] - shown[..., 1]
    assert redness[20:80, 140:200].mean() > 50
    assert redness[SIDE * 3 // 4 :, : SIDE // 4].mean() < 10


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--good", "ghost"], "has 0 readable pictures of class 'ghost'"),
        (["--good", "scratch"], "has 4 readable pictures of class 'scratch'; 25 are the fewest"),
        (["--good", "fine", "--stages", "-9"], "this CLIP's stages are -5 to -1, not -9"),
    ],
)
def test_bad_input_is_one_sentence(pictures: Path, options: list[str], words: str) -> None:
    said = CliRunner().invoke(cli, ["evaluate", "unlike-good", str(pictures), *options])
    assert isinstance(said.exception, EvaluationError)
    assert words in str(said.exception)


def test_stages_are_numbers(pictures: Path) -> None:
    said = CliRunner().invoke(cli, ["evaluate", "unlike-good", str(pictures), "--stages", "x"])
    assert said.exit_code == 2
    assert "'x' is not like -4,-3,-2" in said.output
