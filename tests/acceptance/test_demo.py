"""`linewatch demo`, as a person runs it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from linewatch.services import free_port
from tests.support.pictures import texture
from tests.support.waiting import until


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "linewatch", "demo", *arguments]


@pytest.fixture
def surroundings(tmp_path: Path, weights_dir: Path) -> dict[str, str]:
    """Only the settings a newcomer has: none; and a place of the test's own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("LINEWATCH_")}
    return {
        **kept,
        "LINEWATCH_DATA_DIR": str(tmp_path / "var"),
        "LINEWATCH_WEIGHTS_DIR": str(weights_dir),
    }


def test_a_simulated_shift_is_accounted_for(tmp_path: Path, surroundings: dict[str, str]) -> None:
    result = tmp_path / "out.json"
    done = subprocess.run(
        command("--parts", "12", "--first", "3", "--json", str(result)),
        env=surroundings,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(result.read_text())
    assert found["accepted"] == 12 + 9 * 3
    assert found["accepted"] == found["judged"] + found["rejected"] + found["dead_lettered"]
    assert (found["lost"], found["duplicates"]) == (0, 0)
    assert sum(found["shift"].values()) == 12
    assert "shift alone: " in done.stdout
    assert found["flower"]["reachable"] is True
    assert found["flower"]["tasks_seen"] > 0
    assert 0 <= found["accuracy_on_simulated_truth"] <= 1
    rows = {row["line"]: row for row in found["report"]}
    assert list(rows) == ["line-1", "line-2", "all lines"]
    assert rows["all lines"]["parts"] == 12, "the shift alone"
    assert rows["line-1"]["parts"] + rows["line-2"]["parts"] == 12
    assert "first-pass yield" in done.stdout
    assert "p chart of cable, all lines, by lot: share nonconforming" in done.stdout
    assert "compact" in done.stdout
    assert "Confusion" in done.stdout
    assert f"LINEWATCH_DATA_DIR={tmp_path}" in done.stdout
    assert "linewatch console --port 8080" in done.stdout
    assert "http://127.0.0.1:8080/sign-in/link/" in done.stdout


def test_a_folder_of_one_class_is_one_clear_sentence(
    tmp_path: Path, surroundings: dict[str, str]
) -> None:
    (tmp_path / "pictures" / "good").mkdir(parents=True)
    done = subprocess.run(
        command("--images", str(tmp_path / "pictures")),
        env=surroundings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "two class sub-folders" in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_stops_every_process_it_started(
    tmp_path: Path, surroundings: dict[str, str]
) -> None:
    from PIL import Image

    for name in ("good", "scratch"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(8):
            picture = tmp_path / "pictures" / name / f"{number}.png"
            Image.fromarray(texture(64, 64, seed=number)).save(picture)
    demo = subprocess.Popen(
        command("--images", str(tmp_path / "pictures"), "--first", "3"),
        env=surroundings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    children: list[psutil.Process] = []
    deadline = time.monotonic() + 120
    while len(children) < 4 and time.monotonic() < deadline:
        children = psutil.Process(demo.pid).children(recursive=True)
        time.sleep(0.1)
    assert len(children) >= 4
    demo.send_signal(signal.SIGINT)
    assert demo.wait(timeout=120) == 130
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []


@pytest.mark.slow
def test_with_stay_the_console_and_a_notifier_that_tells_nobody_go_on(
    tmp_path: Path, surroundings: dict[str, str]
) -> None:
    real = tmp_path / "alerts.yaml"
    real.write_text('channels: {plant: {to: "json://127.0.0.1:1/"}}')
    port, printed = free_port(), tmp_path / "printed"
    arguments = ["--parts", "6", "--first", "3", "--stay", "--console-port", str(port)]
    with printed.open("w") as output:
        demo = subprocess.Popen(
            command(*arguments),
            env={**surroundings, "LINEWATCH_ALERTS_FILE": str(real)},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        until(lambda: "Ctrl-C stops it" in printed.read_text() or demo.poll() is not None, 170)
        link = re.search(rf"http://127.0.0.1:{port}/sign-in/link/\S+", printed.read_text())
        assert link, printed.read_text()
        with httpx.Client(headers={"sec-fetch-site": "same-origin"}) as client:
            assert client.post(link[0]).status_code == 303
            address = f"http://127.0.0.1:{port}/api/v1/alerts"
            until(lambda: client.get(address).json()["notifier"] != "", 60)
            assert client.get(address).json()["channels"] == []
        children = psutil.Process(demo.pid).children(recursive=True)
    finally:
        demo.send_signal(signal.SIGINT)
        assert demo.wait(timeout=120) == 130
    (log,) = (tmp_path / "var").rglob("alerts.log")
    assert "tells nobody" in log.read_text()
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []
