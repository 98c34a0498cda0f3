"""The protocol of the notebook that Linewatch grew from, to the letter.

CLIP's and DINOv2's embeddings, each L2-normalised, are concatenated and L2-normalised again;
StandardScaler and LogisticRegression(max_iter=2000, C=1, lbfgs) are fitted on two thirds of the
pictures and asked about the last, three times: `cross_val_predict` over StratifiedKFold(3,
shuffle=True, random_state=42). Unlike `model_store.validation.crossval`, a class with fewer
pictures than folds is scored like any other, since the seed did so.

The order of the pictures decides which fold each is in. It is the order of the rows given; of
pictures in a folder that of `seed_files()`: classes by alphabet, then numbers.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from linewatch.errors import EvaluationError
from model_store.heads.fit import pipeline
from model_store.validation.crossval import FOLDS, RANDOM_STATE

Labels = npt.NDArray[Any]  # of text, or of whole numbers


@dataclass(frozen=True, slots=True, eq=False)
class SeedResult:
    """What the protocol found.

    Attributes:
        classes: names, in the order of every array.
        labels: [n], what each picture shows.
        predictions: [n], what was said of each by a model that had not seen it.
        confusion: int64 [k, k], pictures by actual (row) and predicted class (column).
        report: scikit-learn's `classification_report(output_dict=True, zero_division=0)`.
        notes: what scikit-learn warned of.
    """

    classes: tuple[str, ...]
    labels: tuple[str, ...]
    predictions: tuple[str, ...]
    confusion: npt.NDArray[np.int64]
    report: dict[str, Any]
    notes: tuple[str, ...]

    @property
    def accuracy(self) -> float:
        """Share of pictures told right."""
        return float(np.trace(self.confusion) / self.confusion.sum())

    @property
    def macro_f1(self) -> float:
        """Mean F1 of all classes, the rare ones too."""
        return float(self.report["macro avg"]["f1-score"])

    @property
    def weighted_f1(self) -> float:
        """Mean F1 of all classes, by support."""
        return float(self.report["weighted avg"]["f1-score"])


def seed_files() -> tuple[str, ...]:
    """The seed's 75 pictures, as `<class>/<number>.png` beneath MVTec AD's `cable/test`."""
    text = files("model_store.seed").joinpath("seed_files.txt").read_text(encoding="utf-8")
    return tuple(text.split())


def published() -> dict[str, Any]:
    """The figures that the seed's README gives: averages, and a row a class."""
    text = files("model_store.seed").joinpath("seed_published.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def fuse_arrays(clip: npt.NDArray[Any], dino: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """L2-normalise each, concatenate, L2-normalise: [n, c + d], in the arrays' own precision."""
    both = np.concatenate([_unit(clip, "clip"), _unit(dino, "dino")], axis=1)
    return _unit(both, "fused")


def seed_protocol(clip: npt.NDArray[Any], dino: npt.NDArray[Any], labels: Labels) -> SeedResult:
    """Run the protocol on stored embeddings, in the order of their rows.

    Args:
        clip: float [n, c], CLIP's image embeddings.
        dino: float [n, d], DINOv2's.
        labels: [n].

    Raises:
        EvaluationError: the protocol cannot be run on these.
    """
    from sklearn.metrics import classification_report, confusion_matrix
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    names = np.unique(labels)
    if len(names) < 2:
        raise EvaluationError(f"all pictures show {names[0]!s}; two or more classes are needed")
    features = fuse_arrays(clip, dino)
    splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=RANDOM_STATE)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            said = cross_val_predict(pipeline(), features, labels, cv=splitter)
        except ValueError as error:
            raise EvaluationError(
                f"{FOLDS} folds cannot be made of these {len(labels)} pictures: {_line(error)}"
            ) from None
    classes = [str(name) for name in names]
    report = classification_report(
        labels, said, labels=names, target_names=classes, output_dict=True, zero_division=0
    )
    return SeedResult(
        classes=tuple(classes),
        labels=tuple(map(str, labels)),
        predictions=tuple(map(str, said)),
        confusion=confusion_matrix(labels, said, labels=names).astype(np.int64),
        report=report,
        notes=tuple(dict.fromkeys(_line(warning.message) for warning in caught)),
    )


def is_seed_set(files_: Sequence[str], labels: Sequence[str]) -> bool:
    """Whether these are the seed's pictures, by class and number, whatever folder they lie in."""
    given = sorted((label, _number(name)) for name, label in zip(files_, labels, strict=True))
    wanted = [tuple(name.removesuffix(".png").split("/")) for name in seed_files()]
    return given == sorted(wanted)


def _unit(rows: npt.NDArray[Any], what: str) -> npt.NDArray[Any]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not lengths.all():
        first = int(np.flatnonzero(lengths[:, 0] == 0)[0])
        raise EvaluationError(f"the {what} embedding in row {first} is all zeros and has no length")
    unit: npt.NDArray[Any] = rows / lengths
    return unit


def _number(name: str) -> str:
    stem = name.replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0]
    return stem.rsplit("_", 1)[-1]


def _line(error: object) -> str:
    return " ".join(str(error).split())
