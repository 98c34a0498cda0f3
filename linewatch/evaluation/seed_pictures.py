"""Finding the seed's 75 pictures in a folder of MVTec AD's cables."""

from __future__ import annotations

from pathlib import Path

from linewatch.errors import EvaluationError
from model_store.seed.protocol import seed_files

_BENEATH = ("", "test", "cable/test", "cable")
_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
_NAMED = 5  # missing files that an error names


def find_seed_pictures(folder: Path) -> dict[str, Path]:
    """Where each of the seed's pictures lies, in the order of `seed_files()`.

    Two layouts are known, beneath `folder`, its `test`, `cable` or `cable/test`: MVTec AD's
    `<class>/<number>.png`, and flat files called `cable_<class>_<number>.png`.

    Raises:
        EvaluationError: a picture is missing; names it.
    """
    if not folder.is_dir():
        raise EvaluationError(f"{folder} is no folder")
    found = {name: _find(folder, name) for name in seed_files()}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        raise EvaluationError(
            f"{folder} lacks {len(missing)} of the seed's {len(found)} pictures: "
            f"{', '.join(missing[:_NAMED])}{more}; looked for cable/test/<class>/<number>.png and "
            "cable_<class>_<number>.png"
        )
    return {name: path for name, path in found.items() if path is not None}


def _find(folder: Path, name: str) -> Path | None:
    kind, number = name.removesuffix(".png").split("/")
    for beneath in _BENEATH:
        for stem in (f"{kind}/{number}", f"cable_{kind}_{number}", f"{kind}/cable_{kind}_{number}"):
            for suffix in _SUFFIXES:
                path = folder / beneath / f"{stem}{suffix}"
                if path.is_file():
                    return path
    return None
