"""Features of picture files, through the same way in as production, each computed once."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from linewatch.errors import EvaluationError
from vision.decode import digest
from vision.errors import Unjudgeable

if TYPE_CHECKING:
    import torch

    from vision.extractor import FeatureExtractor

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"})
_BATCH = 16
Features = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class LabelledFile:
    """A picture's file and what it shows."""

    path: Path
    label: str


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that no features could be made of, and why."""

    path: Path
    why: str


class FeatureCache:
    """Feature vectors in a folder, by the features' fingerprint and the picture's SHA-256.

    Args:
        folder: made when something is first kept.
        fingerprint: of the features.
        bits: that were taken to carry the value of 16-bit samples; None: as the files say.
    """

    def __init__(self, folder: Path, fingerprint: str, bits: int | None = None) -> None:
        self._folder = folder / (fingerprint[:32] + (f"-{bits}-bits" if bits else ""))

    def get(self, sha256: str, dim: int) -> Features | None:
        """The vector of a picture, or None. What is damaged counts as absent."""
        try:
            vector = np.load(self._path(sha256))
        except (OSError, ValueError, EOFError):
            return None
        right = vector.dtype == np.float32 and vector.shape == (dim,) and np.isfinite(vector).all()
        return vector if right else None

    def put(self, sha256: str, vector: Features) -> None:
        """Keep a vector; a folder that cannot be written costs time, not the evaluation."""
        path = self._path(sha256)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as file:
                np.save(file, vector)
            Path(file.name).replace(path)
        except OSError:
            return

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / f"{sha256}.npy"


def class_folders(folder: Path) -> list[LabelledFile]:
    """The pictures in a folder of class sub-folders, by class and name.

    Raises:
        EvaluationError: there are fewer than two classes with pictures.
    """
    if not folder.is_dir():
        raise EvaluationError(f"{folder} is no folder")
    found = [
        LabelledFile(path, kind.name)
        for kind in sorted(folder.iterdir())
        if kind.is_dir() and not kind.name.startswith(".")
        for path in sorted(kind.rglob("*"))
        if path.suffix.lower() in SUFFIXES and path.is_file() and not path.name.startswith(".")
    ]
    classes = sorted({file.label for file in found})
    if len(classes) < 2:
        names = f"only {classes[0]!r}" if classes else "none"
        raise EvaluationError(
            f"{folder} needs pictures in at least two class sub-folders; there is {names}"
        )
    return found


def features_of(
    extractor: FeatureExtractor,
    paths: Sequence[Path],
    cache: FeatureCache | None = None,
    progress: Callable[[int], None] = lambda done: None,
    *,
    bits: int | None = None,
) -> tuple[Features, list[int], list[Unread]]:
    """Features of picture files.

    Args:
        extractor: makes them.
        paths: the files.
        cache: asked first, told afterwards.
        progress: called with the number of files done since the last call.
        bits: that carry the value of a 16-bit sample; None: as the files say, or all.

    Returns:
        float32 [m, dim]; which of `paths` the rows are of; the files that gave none.
    """
    rows: dict[int, Features] = {}
    unread: list[Unread] = []
    batch: list[tuple[int, str, torch.Tensor]] = []
    for index, path in enumerate(paths):
        try:
            data = path.read_bytes()
            sha256 = digest(data)
            known = cache.get(sha256, extractor.dim) if cache else None
            if known is not None:
                rows[index] = known
                progress(1)
                continue
            batch.append((index, sha256, extractor.prepare(data, bits=bits).pixels))
        except (OSError, Unjudgeable) as error:
            unread.append(Unread(path, getattr(error, "strerror", None) or str(error)))
            progress(1)
        if len(batch) == _BATCH:
            _compute(extractor, batch, cache, rows)
            progress(len(batch))
            batch = []
    if batch:
        _compute(extractor, batch, cache, rows)
        progress(len(batch))
    kept = sorted(rows)
    matrix = np.stack([rows[index] for index in kept]) if kept else np.empty((0, extractor.dim))
    return matrix.astype(np.float32), kept, unread


def _compute(
    extractor: FeatureExtractor,
    batch: list[tuple[int, str, torch.Tensor]],
    cache: FeatureCache | None,
    rows: dict[int, Features],
) -> None:
    vectors = extractor.features_of([pixels for _, _, pixels in batch]).cpu().numpy()
    for (index, sha256, _), vector in zip(batch, vectors, strict=True):
        rows[index] = vector
        if cache:
            cache.put(sha256, vector)


def counted(files: Sequence[LabelledFile]) -> Iterator[tuple[str, int]]:
    """Pictures a class, by name."""
    labels = [file.label for file in files]
    for name in sorted(set(labels)):
        yield name, labels.count(name)
