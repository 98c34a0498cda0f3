"""What int8 is calibrated on: squares as each product's model sees its pictures."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from db import products
from db.inspections.inspections import commit_inspections
from db.session import engine_for
from linewatch.commands.optimize import command
from linewatch.products import parse_product
from linewatch.settings import Settings
from tests.support.committed import committed
from tests.support.records import a_record
from training.spaces.calibration_pictures import inspected, of_folder
from vision.framing import FILL, Framing

SIZE = 224
RED, BLUE = (200, 0, 0), (0, 0, 200)


def stored(path: Path, width: int, height: int = 100) -> Path:
    """A picture whose outer fifths, left and right, are blue; the rest is red."""
    pixels = np.full((height, width, 3), RED, np.uint8)
    pixels[:, : width // 5] = pixels[:, -width // 5 :] = BLUE
    Image.fromarray(pixels).save(path)
    return path


def shares(squares: list[torch.Tensor], colour: tuple[int, int, int]) -> list[float]:
    wanted = torch.tensor(colour, dtype=torch.uint8)[:, None, None]
    return [float((square == wanted).all(dim=0).float().mean()) for square in squares]


@pytest.mark.parametrize(
    ("framing", "count", "blue", "filled"),
    [
        (Framing("crop"), 1, 0.0, 0.0),  # the outer fifths are not seen
        (Framing("squash"), 1, 0.4, 0.0),
        (Framing("pad"), 1, 0.2, 0.5),
        (None, 3, 0.27, 0.0),  # tiles, as a model of a product whose file says nothing
    ],
)
def test_a_folder_is_framed_as_a_product_sees_it(
    tmp_path: Path,
    make_settings: Callable[..., Settings],
    framing: Framing | None,
    count: int,
    blue: float,
    filled: float,
) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    stored(tmp_path / "a.png", 200)
    squares = of_folder(tmp_path, 20, SIZE, make_settings(), framing)
    assert [tuple(square.shape) for square in squares] == count * [(3, SIZE, SIZE)]
    assert np.mean(shares(squares, BLUE)) == pytest.approx(blue, abs=0.03)
    assert np.mean(shares(squares, FILL)) == pytest.approx(filled, abs=0.03)


def test_a_file_larger_than_any_picture_is_not_read(
    tmp_path: Path, make_settings: Callable[..., Settings]
) -> None:
    """An archive or a film beside the pictures may be larger than the memory."""
    stored(tmp_path / "a.png", 200)
    with (tmp_path / "film.raw").open("wb") as file:
        file.truncate(10**12)
    assert len(of_folder(tmp_path, 20, SIZE, make_settings(), Framing("squash"))) == 1


def test_no_more_squares_than_asked_for_and_from_everywhere(
    tmp_path: Path, make_settings: Callable[..., Settings]
) -> None:
    for number in range(12):
        stored(tmp_path / f"{number:02}.png", 400, 100 + number)
    squares = of_folder(tmp_path, 8, SIZE, make_settings(), Framing("tiles"))
    assert len(squares) == 8
    ends = sum(share > 0.2 for share in shares(squares, BLUE))
    assert 0 < ends < 8


def test_each_products_own_fit_and_as_many_of_each(
    tmp_path: Path, sqlite_url: str, make_settings: Callable[..., Settings]
) -> None:
    settings = make_settings(sql_url=sqlite_url, image_roots=(tmp_path,))
    engine = engine_for(sqlite_url)
    classes = [{"code": "good", "good": True}, {"code": "bent"}]
    for code, fit in (("padded", "pad"), ("cropped", "crop"), ("unseen", "squash")):
        spec = parse_product({"product": code, "classes": classes, "fit": fit}, "a test")
        committed(engine, products.register, spec)
    wide = str(stored(tmp_path / "wide.png", 200))
    records = [a_record(product="cropped", image_uri=wide) for _ in range(30)]
    records += [a_record(product="padded", image_uri=wide) for _ in range(30)]
    records.append(a_record(product="padded", image_uri=str(tmp_path / "gone.png")))
    commit_inspections(engine, records, UTC)
    filled = shares(inspected(engine, 30, SIZE, settings), FILL)
    assert len(filled) in (19, 20)  # one of them may be the one that is gone
    assert sum(share > 0.4 for share in filled) == pytest.approx(10, abs=1)
    assert sum(share == 0 for share in filled) == 10


def test_a_product_without_a_folder_is_refused() -> None:
    done = CliRunner().invoke(command, ["--product", "cable"])
    assert done.exit_code == 2
    assert "name one" in done.output
