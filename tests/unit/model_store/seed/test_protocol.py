"""The seed's protocol is scikit-learn's recipe, written out here once more without our code."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, classification_report, confusion_matrix, f1_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from linewatch.cli import cli
from linewatch.errors import EvaluationError
from linewatch.evaluation.embeddings import read_embeddings, write_embeddings
from model_store.seed.protocol import published, seed_files, seed_protocol

COUNTS = {
    "bent_wire": 10, "cable_swap": 10, "combined": 2, "cut_inner_insulation": 10,
    "cut_outer_insulation": 10, "good": 3, "missing_cable": 10, "missing_wire": 10,
    "poke_insulation": 10,
}  # fmt: skip
Arrays = dict[str, np.ndarray]


def embeddings(seed: int, dtype: type = np.float32, widths: tuple[int, int] = (512, 384)) -> Arrays:
    """Overlapping classes as noisy as the seed's, in mixed order."""
    rng = np.random.default_rng(seed)
    files = list(seed_files())
    rng.shuffle(files)
    labels = [name.split("/")[0] for name in files]
    arrays = {}
    for name, width, spread in zip(("clip", "dino"), widths, (0.2, 3.0), strict=True):
        centres = {kind: rng.normal(size=width) for kind in COUNTS}
        noise = rng.normal(size=(len(labels), width)) * 3
        arrays[name] = ((np.stack([centres[k] for k in labels]) + noise) * spread).astype(dtype)
    return {**arrays, "label": np.asarray(labels), "file": np.asarray(files)}


def transcription(arrays: Arrays) -> np.ndarray:
    clip, dino = arrays["clip"], arrays["dino"]
    clip = clip / np.linalg.norm(clip, axis=1, keepdims=True)
    dino = dino / np.linalg.norm(dino, axis=1, keepdims=True)
    features = np.concatenate([clip, dino], axis=1)
    features = features / np.linalg.norm(features, axis=1, keepdims=True)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000, C=1.0))
    folds = StratifiedKFold(n_splits=3, shuffle=True, random_state=42)
    with pytest.warns(UserWarning, match="least populated class"):
        return np.asarray(cross_val_predict(model, features, arrays["label"], cv=folds))


def stored(arrays: Arrays, path: Path) -> Path:
    """Write `arrays`; numpy's own `savez` takes no keyword called `file`."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, array)
    return path


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("seed", range(2))
def test_predictions_are_those_of_plain_scikit_learn(seed: int, dtype: type) -> None:
    arrays = embeddings(seed, dtype)
    expected = transcription(arrays)
    result = seed_protocol(arrays["clip"], arrays["dino"], arrays["label"])
    assert list(result.predictions) == expected.tolist()
    assert 0.2 < result.accuracy < 0.95  # there are hits and misses to agree on
    assert result.accuracy == accuracy_score(arrays["label"], expected)
    for average in ("macro", "weighted"):
        scikits = f1_score(arrays["label"], expected, average=average, zero_division=0)
        assert getattr(result, f"{average}_f1") == pytest.approx(scikits)
    np.testing.assert_array_equal(result.confusion, confusion_matrix(arrays["label"], expected))


def test_the_order_of_the_rows_decides_the_folds() -> None:
    arrays = embeddings(0)
    turned = {name: array[::-1] for name, array in arrays.items()}
    result = seed_protocol(turned["clip"], turned["dino"], turned["label"])
    assert list(result.predictions) == transcription(turned).tolist()
    assert list(result.predictions) != transcription(arrays)[::-1].tolist()


def test_the_command_writes_what_scikit_learn_says(tmp_path: Path) -> None:
    arrays = embeddings(3)
    path, out = stored(arrays, tmp_path / "seed.npz"), tmp_path / "out.json"
    result = CliRunner().invoke(
        cli, ["evaluate", "seed", "--embeddings", str(path), "--json", str(out)]
    )
    assert result.exit_code == 0, result.output
    for words in ("published F1", "cut_outer_insulation", "0.760", "macro avg", "least populated"):
        assert words in result.output
    assert "not the seed's" not in result.output
    found: dict[str, Any] = json.loads(out.read_text())
    said = transcription(arrays)
    assert [row["predicted"] for row in found["predictions"]] == said.tolist()
    assert [row["file"] for row in found["predictions"]] == arrays["file"].tolist()
    assert [row["label"] for row in found["predictions"]] == arrays["label"].tolist()
    report = classification_report(arrays["label"], said, output_dict=True, zero_division=0)
    for row in found["classes"]:
        theirs = report[row["class"]]
        figures = [theirs[name] for name in ("precision", "recall", "f1-score", "support")]
        assert [row[name] for name in ("precision", "recall", "f1", "support")] == figures
    assert found["confusion_matrix"] == confusion_matrix(arrays["label"], said).tolist()
    assert found["accuracy"] == report["accuracy"]
    assert (found["macro_f1"], found["weighted_f1"]) == tuple(
        report[f"{name} avg"]["f1-score"] for name in ("macro", "weighted")
    )
    assert found["is_the_seeds_set"]


def test_other_widths_and_whole_number_labels_will_do(tmp_path: Path) -> None:
    arrays = embeddings(1, widths=(128, 96))
    numbers = np.unique(arrays["label"], return_inverse=True)[1]
    plain = seed_protocol(arrays["clip"], arrays["dino"], arrays["label"])
    path = stored({**arrays, "label": numbers}, tmp_path / "n.npz")
    data = read_embeddings(path)
    coded = seed_protocol(data.clip, data.dino, data.labels)
    assert [plain.classes[int(name)] for name in coded.predictions] == list(plain.predictions)


def test_half_precision_is_widened_before_lengths_are_taken(tmp_path: Path) -> None:
    arrays = embeddings(2)
    arrays["dino"] *= 100  # squares of these overflow in half precision
    half = {**arrays, "clip": arrays["clip"].astype("f2"), "dino": arrays["dino"].astype("f2")}
    data = read_embeddings(stored(half, tmp_path / "half.npz"))
    wide = {**half, "clip": half["clip"].astype("f4"), "dino": half["dino"].astype("f4")}
    result = seed_protocol(data.clip, data.dino, data.labels)
    assert list(result.predictions) == transcription(wide).tolist()


def without_dino(arrays: Arrays) -> Arrays:
    return {name: array for name, array in arrays.items() if name != "dino"}


def with_nan(arrays: Arrays) -> Arrays:
    arrays["dino"][7, 3] = np.nan
    return arrays


def with_zeros(arrays: Arrays) -> Arrays:
    arrays["clip"][4] = 0
    return arrays


SPOILT: dict[str, Callable[[Arrays], Arrays]] = {
    "missing": without_dino,
    "flat": lambda a: {**a, "clip": a["clip"].ravel()},
    "nan": with_nan,
    "uneven": lambda a: {**a, "label": a["label"][:-1]},
    "one class": lambda a: {**a, "label": np.full(75, "good")},
    "singles": lambda a: {**a, "label": np.asarray([f"k{n}" for n in range(75)])},
    "zeros": with_zeros,
    "text": lambda a: {**a, "clip": a["clip"].astype(str)},
    "nested": lambda a: {**a, "file": a["file"][:, None]},
    "empty": lambda a: {name: array[:0] for name, array in a.items()},
}


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("missing", "lacks dino"),
        ("flat", "'clip' has shape (38400,)"),
        ("nan", "'dino' is not finite in 1 rows, first in row 7"),
        ("uneven", "clip 75, dino 75, label 74, file 75"),
        ("one class", "all pictures show good"),
        ("singles", "3 folds cannot be made of these 75 pictures"),
        ("zeros", "the clip embedding in row 4 is all zeros"),
        ("text", "'clip' holds <U"),
        ("nested", "'file' has shape (75, 1)"),
        ("empty", "the arrays are empty"),
    ],
)
def test_bad_embeddings_are_one_sentence_and_code_2(tmp_path: Path, kind: str, words: str) -> None:
    path = stored(SPOILT[kind](embeddings(0)), tmp_path / "bad.npz")
    out = tmp_path / "out.json"
    result = CliRunner().invoke(
        cli, ["evaluate", "seed", "--embeddings", str(path), "--json", str(out)]
    )
    assert isinstance(result.exception, EvaluationError)  # which `main` makes code 2
    assert words in str(result.exception)
    assert "\n" not in str(result.exception)
    assert not out.exists()


def test_files_that_hold_no_embeddings(tmp_path: Path) -> None:
    broken, single, objects = (tmp_path / name for name in ("a.npz", "b.npz", "c.npz"))
    broken.write_bytes(b"PK\x03\x04 and no more")
    with single.open("wb") as file:
        np.save(file, np.zeros(3))
    stored({**embeddings(0), "label": np.asarray([{}] * 75, dtype=object)}, objects)
    for path in (broken, single, objects, tmp_path / "absent.npz", tmp_path):
        with pytest.raises(EvaluationError, match=str(path)):
            read_embeddings(path)


def test_numpys_own_writer_and_ours(tmp_path: Path) -> None:
    arrays = embeddings(0)
    theirs, ours = tmp_path / "theirs.npz", tmp_path / "ours.npz"
    files = arrays.pop("file")
    np.savez(theirs, files=files, **arrays)  # type: ignore[arg-type]
    data = read_embeddings(theirs)
    assert data.files == tuple(files)
    write_embeddings(ours, data)
    again = read_embeddings(ours)
    assert again.files == data.files
    for name in ("clip", "dino", "labels"):
        np.testing.assert_array_equal(getattr(again, name), getattr(data, name))


def test_the_list_and_the_table_are_the_seeds() -> None:
    kinds = [name.split("/")[0] for name in seed_files()]
    assert {kind: kinds.count(kind) for kind in COUNTS} == COUNTS
    assert len(set(seed_files())) == 75
    assert list(seed_files()) == sorted(seed_files())
    table = published()
    assert {row["class"]: row["support"] for row in table["classes"]} == COUNTS
    assert np.mean([row["f1"] for row in table["classes"]]) == pytest.approx(0.62, abs=0.005)
    weights = [row["support"] for row in table["classes"]]
    weighted = np.average([row["f1"] for row in table["classes"]], weights=weights)
    assert weighted == pytest.approx(table["weighted_f1"], abs=0.005)
