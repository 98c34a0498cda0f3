"""Whose `db`, `producer` or `workers` an import finds: ours, whatever else has such a name.

Our packages stand at the top of site-packages, where names as plain as theirs are easily hidden by
a file beside somebody's program. Our own programs take nothing from the working folder; in other
people's programs, which may well have a `producer.py`, one sentence says what hides what.
"""

from __future__ import annotations

import os
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# site-packages, or a checkout. Not resolved: some installers link each file to a cache of theirs.
ROOT = Path(__file__).absolute().parents[1]
PACKAGES = (
    "console", "db", "migrations", "model_store", "outputs", "producer", "products", "quality",
    "training", "vision", "workers",
)  # fmt: skip
# What the camera side imports. Each is a package, so that a file of its name is somebody's own.
CAMERA_NEEDS = (
    *("filelock", "kombu", "pydantic", "pydantic_core", "pydantic_settings", "redis"),
    "uuid_utils",
)


def require_unhidden(*packages: str) -> None:
    """Say which file hides a package of ours, or one that the camera side needs.

    Raises:
        HiddenPackageError: an import of one of `packages` finds a file of another's.
    """
    for name in packages:
        found = _hiding(name)
        if found is not None:
            from linewatch.errors import HiddenPackageError

            whose = "Linewatch's own package" if name in PACKAGES else "the installed package"
            kind = "folder" if found.is_dir() else "file"
            raise HiddenPackageError(
                f"{found} hides {whose} {name!r}: rename that {kind}, or keep it away from where "
                "your program and PYTHONPATH are"
            )


def _hiding(name: str) -> Path | None:
    """The file, or the package's folder, that an import of `name` wrongly finds."""
    try:
        spec = find_spec(name)
    except (ValueError, AttributeError):  # imported already, by unusual means
        spec = None
    origin = spec.origin if spec else getattr(sys.modules.get(name), "__file__", None)
    if origin is None or origin in ("built-in", "frozen"):
        return None  # not there at all: the import itself says it best
    file = Path(origin).absolute()
    is_package = file.stem == "__init__"
    place = file.parent if is_package else file
    right = _same(place, ROOT / name) if name in PACKAGES else is_package
    return None if right else place


def _same(one: Path, other: Path) -> bool:
    try:
        return one == other or one.samefile(other)
    except OSError:  # in an archive, or not there
        return False


def run_as_program() -> None:
    """For a process that is Linewatch's own: imports take nothing from the working folder.

    Before anything else is imported. A checkout that is worked in stays importable.
    """
    sys.path[:] = without_working_folder(sys.path)
    if not any(isinstance(finder, _OwnPackages) for finder in sys.meta_path):
        sys.meta_path.insert(0, _OwnPackages())


def without_working_folder(entries: Sequence[str]) -> list[str]:
    """A `sys.path` without the entries that `python -m`, `-c` or PYTHONPATH made of that folder.

    They stand before the standard library; what an installation put there stands behind it.
    """
    here = _working_folder()
    if here in (None, ROOT.resolve()):
        return list(entries)
    library = os.path.dirname(os.__file__)  # noqa: PTH120
    end = entries.index(library) if library in entries else len(entries)
    return [e for n, e in enumerate(entries) if n >= end or Path(e or ".").resolve() != here]


def works_in_checkout() -> bool:
    """Whether the working folder is where our packages are, so that imports may come from it."""
    return _working_folder() == ROOT.resolve()


def _working_folder() -> Path | None:
    try:
        return Path.cwd().resolve()
    except FileNotFoundError:  # it was deleted: nothing can come from it
        return None


class _OwnPackages(MetaPathFinder):
    """Finds our packages beside this one, wherever `sys.path` leads."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is not None or name not in PACKAGES:
            return None
        spec = PathFinder.find_spec(name, [str(ROOT)], target)
        if spec is None:  # `linewatch-camera` has some of them only
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return spec
