"""The import rules of pyproject.toml hold, and fail where a module breaks them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RULES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
PACKAGES: list[str] = RULES["root_packages"]
CONTRACTS = {contract["name"]: contract for contract in RULES["contracts"]}

# (a module, what it shall not import, the contract that says so)
PLANTED = [
    ("db.clock", "producer.spool", "Layers"),
    ("db.clock", "linewatch.top", "Layers"),
    ("db.base", "model_store.gate.gate", "Layers"),
    ("vision.errors", "db.clock", "Layers"),
    ("training.lease", "workers.config", "Layers"),
    ("quality.intervals.wilson", "db.clock", "Layers"),
    ("quality.intervals.wilson", "linewatch.errors", "Layers"),
    ("producer.contract.receipt", "producer.names", "Layers"),
    ("workers.config", "linewatch.commands.top", "Layers"),
    ("workers.pipeline.batcher", "linewatch.doctor.diagnosis", "Pure core"),
    ("workers.pipeline.batcher", "sqlalchemy", "Pure core"),
    ("workers.broker.poison", "celery", "Pure core"),
    ("workers.health.watchdog", "time", "Pure core"),
    ("model_store.verdicts.verdict", "torch", "Pure core"),
    ("model_store.validation.folds", "linewatch.settings", "Pure core"),
    ("producer.contract.receipt", "redis", "Pure core"),
    ("quality.intervals.wilson", "db.clock", "Pure core"),
    ("vision.preprocess", "torchvision", "Nothing that starts needs torchvision"),
    ("producer.names", "torch", "The camera side needs no torch, no SQL and no model"),
    ("producer.names", "celery", "The camera side needs no torch, no SQL and no model"),
    ("training.lease", "celery", "No queue below producer and workers"),
    ("db.clock", "redis", "No queue below producer and workers"),
    ("model_store.names", "sqlalchemy", "Pictures and models know no SQL"),
    ("outputs.drivers.drop", "db.session", "Drivers of receivers know no SQL"),
    ("db.clock", "torch", "The database knows no torch"),
]


def test_the_rules_hold_and_every_planted_import_is_found(tmp_path: Path) -> None:
    copy(tmp_path)
    kept = lint(tmp_path)
    assert kept.returncode == 0, kept.stdout
    plant(tmp_path, PLANTED)
    broken = lint(tmp_path)
    assert broken.returncode == 1, broken.stdout + broken.stderr
    missing = [
        planted
        for planted in PLANTED
        if planted[:2] not in imports_under(planted[2], broken.stdout)
    ]
    assert not missing, broken.stdout


def test_every_contract_has_an_import_planted_against_it() -> None:
    assert {contract for _, _, contract in PLANTED} == set(CONTRACTS)


@pytest.mark.slow
@pytest.mark.parametrize("planted", PLANTED, ids=" → ".join)
def test_one_planted_import_is_enough(planted: tuple[str, str, str], tmp_path: Path) -> None:
    copy(tmp_path)
    plant(tmp_path, [planted])
    assert f"\n{planted[2]} BROKEN" in lint(tmp_path).stdout


def test_every_module_has_one_layer() -> None:
    """A module that stands in no layer could be imported from anywhere."""
    layered = re.findall(r"[\w.]+", " ".join(CONTRACTS["Layers"]["layers"]))
    assert len(layered) == len(set(layered))
    wanted = {package for package in PACKAGES if package not in ("linewatch", "producer")}
    wanted |= children("linewatch") | children("producer")
    assert wanted == set(layered), "name it in the contract 'Layers' of pyproject.toml"


def test_every_package_is_linted() -> None:
    found = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    # data, Alembic's scripts, and what is not installed
    assert found - {*("products", "migrations", "benchmarks", "tests", "tools", "examples")} == set(
        PACKAGES
    )


def children(package: str) -> set[str]:
    """The modules and packages directly within a package."""
    found = {path.stem for path in (ROOT / package).glob("*.py")} - {"__init__"}
    found |= {path.parent.name for path in (ROOT / package).glob("*/__init__.py")}
    return {f"{package}.{name}" for name in found}


def copy(folder: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", folder)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=only_source)


def only_source(folder: str, names: list[str]) -> list[str]:
    """What is no source and no folder; weights are large."""
    return [
        name for name in names if not name.endswith(".py") and not (Path(folder) / name).is_dir()
    ]


def plant(folder: Path, imports: Sequence[tuple[str, str, str]]) -> None:
    for module, imported, _ in imports:
        with (folder / module.replace(".", "/")).with_suffix(".py").open("a") as source:
            source.write(f"import {imported}\n")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run([program, "--no-cache"], cwd=folder, capture_output=True, text=True)


def imports_under(contract: str, report: str) -> set[tuple[str, str]]:
    """The imports that a report of lint-imports shows under a broken contract's heading."""
    heading = f"\n{contract}\n{'-' * len(contract)}\n"
    if heading not in report:
        return set()
    section = re.split(r"\n[^\n]+\n-{4,}\n", report.split(heading, 1)[1], maxsplit=1)[0]
    return set(re.findall(r"([\w.]+) -> ([\w.]+) \(l\.", section))
