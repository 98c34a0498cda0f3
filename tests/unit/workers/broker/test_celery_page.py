"""`docs/celery.md` lists what `workers/broker` changes in Celery and kombu, with its proof."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest

from tests.support.celery_seam import FAMILIES, changes_of

ROOT = Path(__file__).parents[4]
BROKER = ROOT / "workers" / "broker"
MODULES = sorted(path.stem for path in BROKER.glob("*.py") if path.stem != "__init__")
PAGE = (ROOT / "docs" / "celery.md").read_text(encoding="utf-8")
_INHERITED = frozenset({"__init__", "__module__", "__doc__", "__qualname__", "__firstlineno__"})


@lru_cache(maxsize=1)
def named() -> frozenset[str]:
    """What the page sets as code."""
    return frozenset(re.findall(r"`([^`\n]+)`", PAGE))


def overridden(module: str) -> Iterator[str]:
    """`Class`, and `Class.name` for all that its bases of theirs have too."""
    loaded = importlib.import_module(f"workers.broker.{module}")
    for name, thing in vars(loaded).items():
        if not isinstance(thing, type) or thing.__module__ != loaded.__name__:
            continue
        theirs = [base for base in thing.__mro__ if base.__module__.partition(".")[0] in FAMILIES]
        if not theirs or theirs[0].__module__ == "celery.bootsteps":
            continue
        yield name
        for own in vars(thing).keys() - _INHERITED:
            if any(own in vars(base) for base in theirs):
                yield f"{name}.{own}"


@pytest.mark.parametrize("module", MODULES)
def test_what_a_module_overrides_and_changes_is_listed(module: str) -> None:
    found = {*overridden(module), *changes_of(ast.parse((BROKER / f"{module}.py").read_text()))}
    missing = sorted(found - named())
    assert not missing, f"docs/celery.md lacks of workers/broker/{module}.py: {missing}"


def test_something_is_looked_for() -> None:
    assert {"Channel", "Channel._brpop_start", "Channel.Message"} <= set(overridden("channel"))
    assert "celery.utils.imports.cwd_in_path" in changes_of(
        ast.parse((BROKER / "command_line.py").read_text())
    )


def test_each_test_that_is_named_exists() -> None:
    proofs = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
    assert len(proofs) > 15
    for file, name in proofs:
        text = (ROOT / file).read_text(encoding="utf-8")
        assert f"\ndef {name}(" in text, f"{file} has no {name}"


def test_each_module_that_is_named_exists() -> None:
    files = re.findall(r"`(workers/[\w/]+\.py)`", PAGE)
    assert files
    assert [file for file in files if not (ROOT / file).is_file()] == []
