"""Embeddings in a file: `.npz` with the arrays clip, dino, label and file.

`numpy.savez` has a parameter called `file`, and so refuses an array of that name as a keyword;
`files` is read as well, and `write_embeddings` writes `file`.
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from linewatch.errors import EvaluationError

NAMES = ("clip", "dino", "label", "file")


@dataclass(frozen=True, slots=True, eq=False)
class Embeddings:
    """Two embeddings a picture, in the file's order.

    Attributes:
        clip: float [n, c].
        dino: float [n, d].
        labels: [n], text or whole numbers.
        files: n names.
    """

    clip: npt.NDArray[Any]
    dino: npt.NDArray[Any]
    labels: npt.NDArray[Any]
    files: tuple[str, ...]


def read_embeddings(path: Path) -> Embeddings:
    """Read and check a file of embeddings. Any width of `clip` and `dino` will do.

    Raises:
        EvaluationError: it cannot be read, or an array is missing or not what it must be.
    """
    arrays = _arrays(path)
    clip, dino = (_matrix(path, name, arrays[name]) for name in ("clip", "dino"))
    labels, names = (_column(path, name, arrays[name]) for name in ("label", "file"))
    lengths = {name: len(arrays[name]) for name in NAMES}
    if len(set(lengths.values())) > 1:
        counts = ", ".join(f"{name} {count}" for name, count in lengths.items())
        raise EvaluationError(f"{path}: the arrays differ in length ({counts}); one row a picture")
    if not len(labels):
        raise EvaluationError(f"{path}: the arrays are empty; there are no pictures to judge")
    files = tuple(map(str, names))
    for name, matrix in (("clip", clip), ("dino", dino)):
        broken = np.flatnonzero(~np.isfinite(matrix).all(axis=1))
        if broken.size:
            raise EvaluationError(
                f"{path}: {name!r} is not finite in {broken.size} rows, first in row {broken[0]} "
                f"({files[broken[0]]}); embed these pictures again or leave them out"
            )
    return Embeddings(clip, dino, labels, files)


def write_embeddings(path: Path, embeddings: Embeddings) -> None:
    """Write what `read_embeddings` reads.

    Raises:
        EvaluationError: the file cannot be written.
    """
    files = np.asarray(embeddings.files, dtype=np.str_)
    arrays = (embeddings.clip, embeddings.dino, embeddings.labels, files)
    try:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, array in zip(NAMES, arrays, strict=True):
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)
    except OSError as error:
        raise EvaluationError(f"{path} cannot be written: {error.strerror}") from None


def _arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    try:
        loaded: Any = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            raise EvaluationError(f"{path} holds one array; an .npz of {_listed()} is needed")
        with loaded as stored:
            keys = {name: name for name in NAMES}
            keys["file"] = "file" if "file" in stored else "files"
            missing = [name for name, key in keys.items() if key not in stored]
            if missing:
                raise EvaluationError(f"{path} lacks {', '.join(missing)}; it needs {_listed()}")
            return {name: stored[key] for name, key in keys.items()}
    except OSError as error:
        raise EvaluationError(f"{path} cannot be read: {error.strerror or error}") from None
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise EvaluationError(
            f"{path} is no usable .npz file ({' '.join(str(error).split())[:150]}); "
            "store plain numbers and text, no Python objects"
        ) from None


def _matrix(path: Path, name: str, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if array.ndim != 2 or array.shape[1] < 1:
        raise EvaluationError(
            f"{path}: {name!r} has shape {array.shape}; pictures × dimensions is needed"
        )
    if array.dtype.kind not in "fiu":
        raise EvaluationError(f"{path}: {name!r} holds {array.dtype}; numbers are needed")
    # Lengths computed in half precision would be far off.
    return array.astype(np.float32) if array.dtype == np.float16 else array


def _column(path: Path, name: str, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if array.ndim != 1:
        raise EvaluationError(f"{path}: {name!r} has shape {array.shape}; one a picture is needed")
    if array.dtype.kind == "S":
        try:
            return np.char.decode(array, "utf-8")
        except UnicodeDecodeError:
            raise EvaluationError(f"{path}: {name!r} holds bytes that are no text") from None
    if array.dtype.kind not in "Uiu":
        raise EvaluationError(f"{path}: {name!r} holds {array.dtype}; text is needed")
    return array


def _listed() -> str:
    return "the arrays clip [n, c], dino [n, d], label [n] and file [n]"
