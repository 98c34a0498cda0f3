"""What `make` lists, and when it installs again."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="no make here")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What decides about the set-up, and a `.venv` that is set up."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    stamp = re.search(r"touch (\S+)$", make(tmp_path, "-n", "setup"), re.MULTILINE)
    assert stamp is not None
    (tmp_path / ".venv").mkdir()
    (tmp_path / stamp[1]).touch()
    return tmp_path


def make(folder: Path, *words: str) -> str:
    command = ["make", "--no-print-directory", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


def installs(checkout: Path) -> bool:
    return "pip install" in make(checkout, "-n", "setup")


def test_it_lists_every_target_with_a_line(checkout: Path) -> None:
    phony = re.search(r"^\.PHONY: (.*)$", (checkout / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    listed = [re.fullmatch(r"make (\S+) +\S.*", line) for line in make(checkout).splitlines()]
    assert [found and found[1] for found in listed] == phony[1].split()


def test_it_does_not_install_what_is_installed(checkout: Path) -> None:
    (checkout / "constraints.txt").touch()
    pyproject = checkout / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace("line-length = 100", "line-length = 99"))
    assert not installs(checkout)


@pytest.mark.parametrize("name", ["constraints.txt", "pyproject.toml"])
def test_another_dependency_is_installed(checkout: Path, name: str) -> None:
    path = checkout / name
    path.write_text(path.read_text().replace("click", "clicks", 1))
    assert installs(checkout)
