"""`linewatch evaluate seed --images`, on simulated cables laid out as the seed's were."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from linewatch.cli import cli
from linewatch.errors import EvaluationError
from linewatch.evaluation.seed_pictures import find_seed_pictures
from linewatch.settings import Settings
from model_store.seed.protocol import seed_files
from producer.simulator import render


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All 75, as MVTec AD lays them out."""
    root = tmp_path_factory.mktemp("mvtec")
    for index, name in enumerate(seed_files()):
        path = root / "cable" / "test" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = render(name.split("/")[0], np.random.default_rng(index), size=128)
        cv2.imwrite(str(path), pixels[..., ::-1])
    return root


def test_both_layouts_are_found(pictures: Path, tmp_path: Path) -> None:
    found = find_seed_pictures(pictures)
    assert list(found) == list(seed_files())
    for beneath in ("cable", "cable/test"):
        assert find_seed_pictures(pictures / beneath) == found
    for name, path in found.items():
        (tmp_path / f"cable_{name.replace('/', '_')}").symlink_to(path)
    flat = find_seed_pictures(tmp_path)
    assert [path.resolve() for path in flat.values()] == [path.resolve() for path in found.values()]
    (tmp_path / "cable_good_039.png").unlink()
    (tmp_path / "cable_combined_008.png").unlink()
    with pytest.raises(EvaluationError, match=r"lacks 2 .* pictures: combined/008.png, good/039"):
        find_seed_pictures(tmp_path)


def test_images_and_their_embeddings_give_the_same_table(
    pictures: Path, make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    make_settings()
    kept, first, second = (tmp_path / name for name in ("e.npz", "1.json", "2.json"))
    command = ["evaluate", "seed", "--images", str(pictures), "--json", str(first)]
    result = CliRunner().invoke(cli, [*command, "--save-embeddings", str(kept)])
    assert result.exit_code == 0, result.output
    assert "compact" in result.output
    result = CliRunner().invoke(
        cli, ["evaluate", "seed", "--embeddings", str(kept), "--json", str(second)]
    )
    assert result.exit_code == 0, result.output
    ours, again = json.loads(first.read_text()), json.loads(second.read_text())
    assert ours["predictions"] == again["predictions"]
    assert ours["is_the_seeds_set"]
    assert [row["file"] for row in ours["predictions"]] == list(seed_files())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "either --images FOLDER or --embeddings FILE"),
        (("--images", "{root}", "--embeddings", "x.npz"), "either --images"),
        (("--images", "{empty}"), "lacks 75 of the seed's 75 pictures: bent_wire/000.png"),
        (("--embeddings", "/nowhere.npz"), "/nowhere.npz cannot be read"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_code_2(
    pictures: Path, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    filled = [word.format(root=pictures, empty=tmp_path) for word in arguments]
    done = subprocess.run(
        [sys.executable, "-m", "linewatch", "evaluate", "seed", *filled],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_damaged_picture_is_named(
    pictures: Path, make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    make_settings()
    for name, path in find_seed_pictures(pictures).items():
        (tmp_path / f"cable_{name.replace('/', '_')}").symlink_to(path)
    bad = tmp_path / "cable_missing_wire_003.png"
    bad.unlink()
    bad.write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    result = CliRunner().invoke(cli, ["evaluate", "seed", "--images", str(tmp_path)])
    assert isinstance(result.exception, EvaluationError)
    assert "missing_wire_003.png" in str(result.exception)
