"""The commands that the demonstration prints can be typed as they stand."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from linewatch.demo.guest import own_command


def test_the_command_is_named_by_its_path_unless_the_path_variable_leads_to_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = Path(sys.executable).with_name("linewatch")
    assert own.exists()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert own_command() == str(own)
    other = tmp_path / "linewatch"  # of another installation
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    assert own_command() == str(own)
    monkeypatch.setenv("PATH", str(own.parent))
    assert own_command() == "linewatch"
