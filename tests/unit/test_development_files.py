"""The development container and the public host's CI run what this repository has."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
CONTAINER: dict[str, Any] = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
CI: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
LEAST_PYTHON = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]


def test_both_have_the_oldest_python_that_is_supported() -> None:
    least = LEAST_PYTHON.removeprefix(">=")
    assert f"python:{least}-" in CONTAINER["image"]
    versions = [step["with"]["python-version"] for step in steps() if "setup-python" in uses(step)]
    assert versions == [least]


def test_ci_runs_ci_run_and_nothing_else() -> None:
    assert [step["run"] for step in steps() if "run" in step] == [".ci/run"]
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111
    assert CI["permissions"] == {"contents": "read"}


def test_the_container_is_set_up_by_make() -> None:
    (target,) = re.fullmatch(r"make ([\w-]+)", CONTAINER["updateContentCommand"]).groups()  # type: ignore[union-attr]
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
    settings = CONTAINER["customizations"]["vscode"]["settings"]
    assert settings["python.defaultInterpreterPath"].endswith("/.venv/bin/python")
    assert all((ROOT / folder).is_dir() for folder in settings["python.testing.pytestArgs"])


def steps() -> list[dict[str, Any]]:
    (job,) = CI["jobs"].values()
    found: list[dict[str, Any]] = job["steps"]
    return found


def uses(step: dict[str, Any]) -> str:
    return str(step.get("uses", ""))
