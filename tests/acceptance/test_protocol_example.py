"""The shell example of docs/protocol.md, run as it stands, against a real worker."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from db import products
from db.inspections.inspections import by_part
from linewatch.products import load_product, product_files
from producer.contract import Reason, Receipt, Verdict
from tests.acceptance.live import Live, on_one_database
from tests.support.committed import committed

pytestmark = on_one_database

PROTOCOL = Path(__file__).parents[2] / "docs" / "protocol.md"
MARK = "<!-- example: run by the tests -->\n```sh\n"


def example() -> str:
    text = PROTOCOL.read_text(encoding="utf-8")
    assert text.count(MARK) == 1
    return text.split(MARK)[1].split("\n```")[0]


@pytest.mark.skipif(shutil.which("redis-cli") is None, reason="redis-cli is not installed")
def test_redis_cli_alone_has_a_picture_judged(shared_plant: Live) -> None:
    cable = next(path for path in product_files() if path.stem == "cable")
    committed(shared_plant.engine, products.register, load_product(cable))
    picture = shared_plant.pictures / "a b.png"
    Image.fromarray(np.full((1024, 1024, 3), 127, dtype=np.uint8)).save(picture)
    url = shared_plant.settings.redis_url
    done = subprocess.run(
        ["sh", "-c", example()],
        env={**os.environ, "REDIS_URL": url, "IMAGE": str(picture)},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    receipt = Receipt.model_validate_json(done.stdout)
    assert (receipt.verdict, receipt.reason) == (Verdict.REVIEW, Reason.NO_MODEL)
    (row,) = [row for row in by_part(shared_plant.engine, "SN-000001") if row.id == receipt.id]
    assert (row.product, row.line, row.camera) == ("cable", "line-1", "cam-1")
    assert shared_plant.redis.keys("linewatch:receipts:shell-*") == []
