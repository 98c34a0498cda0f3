"""`linewatch alerts test`, as a person runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_each_address_is_tried_and_what_went_wrong_is_said(tmp_path: Path) -> None:
    file = tmp_path / "alerts.yaml"
    file.write_text("channels: {wrong: {to: nosuch}, away: {to: hook}}")
    wanted = {
        "LINEWATCH_DATA_DIR": str(tmp_path),
        "LINEWATCH_ALERTS_FILE": str(file),
        "LINEWATCH_ALERT_URLS": "nosuch=nosuch://word@host\nhook=json://ann:word@127.0.0.1:9/word",
    }
    done = subprocess.run(
        [sys.executable, "-m", "linewatch", "alerts", "test"],
        env={**os.environ, **wanted},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    wrong, away = done.stdout.splitlines()
    assert "wrong: an address is none that Apprise knows" in wrong
    assert away == "away: the address did not take it; the log says why"
    assert "Connection error" in done.stderr
    assert "word" not in done.stdout + done.stderr
    assert done.returncode == 1
