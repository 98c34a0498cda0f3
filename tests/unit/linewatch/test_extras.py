"""What an ImportError is told to install exists, and covers all that the programs import."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from linewatch.errors import ConfigurationError
from linewatch.extras import EXTRAS, advice, need
from linewatch.import_path import PACKAGES as PACKAGES_OF_OURS

ROOT = Path(__file__).parents[3]
PACKAGES = (*PACKAGES_OF_OURS, "linewatch")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# Imported only where another program does it, or beside what brings them.
BROUGHT = {
    "kombu", "dotenv", "pydantic_core", "vine", "scipy", "huggingface_hub", "billiard", "pandas",
    "benchmarks", "prompt_toolkit", "tornado",
}  # fmt: skip


@lru_cache(maxsize=1)
def providers_of() -> Mapping[str, list[str]]:
    """The distributions that bring each module; looking takes seconds."""
    return packages_distributions()


def distributions(requirements: list[str]) -> set[str]:
    names = {re.split(r"[\[<>=!;~ ]", line)[0] for line in requirements}
    return {re.sub(r"[-_.]+", "-", name).lower() for name in names}


def imported() -> set[str]:
    found: set[str] = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    found |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    found.add(node.module.partition(".")[0])
    return found - set(PACKAGES) - {"products"} - sys.stdlib_module_names


@pytest.mark.parametrize("module", sorted(EXTRAS))
def test_the_extra_brings_the_module(module: str) -> None:
    brought = distributions(PROJECT["optional-dependencies"][EXTRAS[module]])
    providers = providers_of().get(module)
    if providers is None:
        pytest.skip(f"{module} is not installed here")
    assert {re.sub(r"[-_.]+", "-", name).lower() for name in providers} & brought


def test_every_import_is_in_the_base_install_or_has_an_extra() -> None:
    base = distributions(PROJECT["dependencies"])
    providers = providers_of()
    for module in sorted(imported() - BROUGHT - EXTRAS.keys()):
        names = {re.sub(r"[-_.]+", "-", name).lower() for name in providers.get(module, [])}
        assert names & base, f"{module}: which extra brings it?"


def test_the_transport_to_redis_is_in_the_base_install() -> None:
    assert any(line.startswith("kombu[redis]") for line in PROJECT["dependencies"])


def test_drivers_that_speak_in_words_of_their_own_are_understood() -> None:
    assert "linewatch[s3]" in advice(ImportError("Install s3fs to access S3"))
    assert "is broken: no such thing" in advice(ImportError("no such thing"))


def test_what_is_needed_and_missing_is_named() -> None:
    need("json")
    with pytest.raises(ConfigurationError, match="installation is broken"):
        need("no_module_of_this_name")
