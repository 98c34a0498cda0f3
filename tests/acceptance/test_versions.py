"""This version beside 0.1.0, run from its own code: which is updated first, and what happens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.history.committing import BEFORE
from db import migrate, products
from db.inspections.inspections import outcomes
from db.session import engine_for
from linewatch.plant import environment
from linewatch.products import parse_product
from producer.contract import Reason, Verdict
from tests.acceptance.live import PATIENCE, WIDGET, Live
from tests.support.committed import committed

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("linewatch", "producer", "workers", "vision", "model_store", "db", "migrations")


@pytest.fixture(scope="module")
def old_code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages of 0.1.0."""
    folder = tmp_path_factory.mktemp("0.1.0")
    archive = folder / "code.tar"
    wanted = ["git", "-C", str(ROOT), "archive", "-o", str(archive), BEFORE, *PACKAGES, "products"]
    done = subprocess.run(wanted, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"the commit of 0.1.0 is not in this checkout: {done.stderr.strip()}")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder


class Old:
    """Commands of 0.1.0, in a plant of their own or in the test's."""

    def __init__(self, code: Path, **env: str) -> None:
        self._code = code
        self._env = {**os.environ, **env, "PYTHONPATH": str(code)}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "linewatch", *arguments],
            cwd=self._code,
            env=self._env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str) -> str:
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=60 * PATIENCE)
        assert process.returncode == 0, output
        return output


def submit_arguments(picture: Path, out: Path) -> list[str]:
    where = ["--line", "line-1", "--camera", "cam-1", "--product", "widget"]
    return ["submit", str(picture), *where, "--timeout", str(30 * PATIENCE), "--json", str(out)]


def outcome(out: Path) -> dict[str, Any]:
    (picture,) = json.loads(out.read_text())["pictures"]
    found: dict[str, Any] = picture["receipt"]
    return found


def test_a_camera_of_0_1_0_and_a_worker_of_this_version(
    shared_plant: Live, old_code: Path, tmp_path: Path
) -> None:
    env = environment(shared_plant.settings) | {"LINEWATCH_DATA_DIR": str(tmp_path)}
    old = Old(old_code, **env)
    old.run(*submit_arguments(shared_plant.picture(), tmp_path / "out.json"))
    assert outcome(tmp_path / "out.json")["reason"] == "no_model"
    status = old.run("spool", "status", "--format", "json")
    assert [row["sent"] + row["queued"] for row in json.loads(status)] == [0]


@pytest.fixture
def old_worker(plant: Live, old_code: Path, tmp_path: Path) -> Iterator[tuple[Live, str]]:
    """A plant whose only worker is of 0.1.0, and the URL of its database, of 0.1.0 too."""
    data = tmp_path / "old"
    env = environment(plant.settings) | {"LINEWATCH_DATA_DIR": str(data)}
    env["LINEWATCH_DATABASE_URL"] = f"sqlite:///{data / 'old.db'}"
    old = Old(old_code, **env)
    data.mkdir()
    old.run("db", "upgrade")
    product = tmp_path / "widget.yaml"
    product.write_text("product: widget\nclasses: [{code: good, good: true}, {code: scratch}]\n")
    old.run("products", "register", str(product))
    worker = old.start("worker", "--queues", "inspect", "--name", "old")
    try:
        yield plant, env["LINEWATCH_DATABASE_URL"]
    finally:
        worker.terminate()
        worker.communicate(timeout=30 * PATIENCE)


@pytest.mark.parametrize("seen_max_bytes", [0, 2**20])
def test_a_camera_of_this_version_and_a_worker_of_0_1_0(
    old_worker: tuple[Live, str], seen_max_bytes: int, caplog: pytest.LogCaptureFixture
) -> None:
    """With a field that 0.1.0 does not know nothing is judged, and the camera says why."""
    plant, database = old_worker
    plant.settings = plant.settings.model_copy(update={"seen_max_bytes": seen_max_bytes})
    with plant.camera() as camera:
        camera.submit(plant.picture())
        assert camera.wait(60 * PATIENCE)
        deadline = time.monotonic() + 10 * PATIENCE
        while not plant.receipts and time.monotonic() < deadline:
            time.sleep(0.05)
        # The database is upgraded beneath it, and a product says what 0.1.0 does not know.
        migrate.upgrade(database)
        spec = {**WIDGET.model_dump(mode="json"), "fit": "tiles", "audit_share": 0.1}
        committed(engine_for(database), products.register, parse_product(spec, "t"))
        second = camera.submit(plant.picture())
        assert camera.wait(60 * PATIENCE)
    assert outcomes(engine_for(database), [second])[second].reason is plant.receipts[0].reason
    receipt = plant.receipts[0]
    said = "a worker refused the fields" in caplog.text
    if seen_max_bytes:
        assert (receipt.verdict, receipt.reason) == (Verdict.REJECTED, Reason.INVALID_FIELDS)
        assert said
    else:
        assert (receipt.verdict, receipt.reason) == (Verdict.REVIEW, Reason.NO_MODEL)
        assert not said
