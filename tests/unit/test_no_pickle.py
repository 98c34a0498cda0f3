"""A pickle runs whatever its author wished. None is read or written anywhere in the project."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN = re.compile(
    r"\b(?:import|from)\s+(?:[\w.]+\s*,\s*)*_?(?:c?pickle\w*|joblib|dill|cloudpickle|shelve|marshal)\b"
    r"|\b(?:pickle|joblib|dill|cloudpickle)\s*\.\s*(?:loads?|dumps?|Unpickler|Pickler)\b"
    r"|\btorch\s*\.\s*(?:load|save)\b"
    r"|\ballow_pickle\s*=\s*True"
    r"|\bweights_only\s*=\s*False"
    r"|\bread_pickle\b"
    r"|['\"](?:pickle|application/x-python-serialize|yaml\.unsafe_load)['\"]"
)


def python_files() -> list[Path]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        files = [ROOT / line for line in listed.stdout.splitlines()]
    except (OSError, subprocess.CalledProcessError):  # a source archive
        files = [f for f in ROOT.rglob("*.py") if not any(p.startswith(".") for p in f.parts)]
    peers = ROOT / "benchmarks" / "peers"
    return [
        f for f in files if f.is_file() and f != Path(__file__).resolve() and peers not in f.parents
    ]


def test_no_python_file_uses_pickle() -> None:
    files = python_files()
    assert ROOT / "model_store" / "store.py" in files
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if FORBIDDEN.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from joblib import dump",
        "import os, dill",
        "import cloudpickle as cp",
        "torch.load(path)",
        "torch.save(model, path)",
        "np.load(path, allow_pickle=True)",
        "accept_content=['json', 'pickle']",
    ],
)
def test_the_search_finds_what_it_is_for(line: str) -> None:
    assert FORBIDDEN.search(line)


@pytest.mark.parametrize("line", ["# no pickle", "safetensors.torch.load_file(p)", "np.load(p)"])
def test_the_search_leaves_the_rest_alone(line: str) -> None:
    assert not FORBIDDEN.search(line)
