"""What mutmut found becomes a row a module, and nothing that was not tried counts as seen."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from benchmarks import mutants


def kept(folder: Path, codes: dict[str, int | None]) -> Path:
    pytest.importorskip("mutmut", reason="`make mutants` installs it")
    path = folder / "producer" / "contract" / "message.py.meta"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"exit_code_by_key": codes}))
    return folder


def test_tests_that_failed_or_hung_saw_the_fault(tmp_path: Path) -> None:
    folder = kept(tmp_path, {"a": 1, "b": 36, "c": 0, "d": 33})
    assert mutants.rows_of(folder) == [
        {
            "module": "producer/contract/message.py",
            "mutants": 4,
            "killed": 2,
            "share": 0.5,
            "survived": ["c", "d"],
        }
    ]


def test_what_was_not_tried_is_no_result(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="b was not tried to its end: not checked"):
        mutants.rows_of(kept(tmp_path, {"a": 1, "b": None}))


def test_every_named_module_and_test_is_there() -> None:
    root = Path(mutants.__file__).parents[1]
    chosen = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["mutmut"]
    for name in [*chosen["only_mutate"], *chosen["pytest_add_cli_args_test_selection"]]:
        assert (root / name).is_file(), name
