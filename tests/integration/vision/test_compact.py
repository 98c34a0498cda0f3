"""The compact encoders that come with Linewatch."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from linewatch.products import shipped_product
from linewatch.settings import Settings
from model_store.validation.crossval import cross_validate
from producer.simulator import CLASSES, render
from vision.checksums import FILES, about_of, verify
from vision.extractor import FeatureExtractor
from vision.loading import load_clip, load_dino
from vision.preprocess import preprocess
from vision.weights import COMPACT, describe, find_weights

_EACH = 6
_MOST_BYTES = 24_000_000


@pytest.fixture(scope="module")
def labels() -> list[str]:
    return [kind for kind in CLASSES for _ in range(_EACH)]


@pytest.fixture(scope="module")
def pictures(labels: list[str]) -> torch.Tensor:
    """Cables that no training has seen."""
    rngs = (np.random.default_rng([99_000_000, index]) for index in range(len(labels)))
    drawn = zip(labels, rngs, strict=True)
    return torch.stack([preprocess(render(kind, rng, size=1024)) for kind, rng in drawn])


def test_the_files_are_small_and_what_the_cards_say() -> None:
    found = verify(COMPACT)
    assert found == about_of(COMPACT)["sha256"]
    for name in FILES:
        card = (COMPACT / name).with_name("README.md").read_text(encoding="utf-8")
        digest = hashlib.sha256((COMPACT / name).read_bytes()).hexdigest()
        assert f"- `{Path(name).name}` SHA-256 `{digest}`" in card
    files = [path for path in COMPACT.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= _MOST_BYTES
    assert {path.suffix for path in files} == {".json", ".md", ".safetensors"}


def test_every_surface_says_which_encoders(extractor: FeatureExtractor, weights_dir: Path) -> None:
    assert extractor.describe() == about_of(COMPACT)["description"]
    assert extractor.describe().startswith("compact encoders")
    assert describe(Settings(weights_dir=weights_dir)) == extractor.describe()


def test_nothing_is_written_to_use_them(tmp_path: Path) -> None:
    settings = Settings(weights_dir=tmp_path, device="cpu")
    FeatureExtractor.from_settings(settings)
    assert list(tmp_path.iterdir()) == []
    weights = find_weights(settings)
    networks = (load_clip(weights).model, load_dino(weights))
    assert {p.dtype for network in networks for p in network.parameters()} == {torch.float32}


@pytest.fixture(scope="module")
def features(extractor: FeatureExtractor, pictures: torch.Tensor) -> torch.Tensor:
    return torch.cat([extractor.features(batch) for batch in pictures.split(27)]).cpu()


def test_they_tell_defects_apart(features: torch.Tensor, labels: list[str]) -> None:
    """Chance is 0.11."""
    assert cross_validate(features.numpy(), labels).macro_f1 > 0.35


def test_they_tell_defects_apart_by_sentences_alone(
    extractor: FeatureExtractor, features: torch.Tensor, labels: list[str]
) -> None:
    """Chance is 0.11."""
    cable = shipped_product("cable")
    texts = [normalize(extractor.embed_text(kind.prompts)).mean(0) for kind in cable.classes]
    prompts = torch.stack(texts).cpu()
    seen = features[:, : prompts.shape[1]]  # a feature vector begins with CLIP's embedding
    said = (seen @ normalize(prompts).T).argmax(1).tolist()
    right = [cable.class_codes[k] == label for k, label in zip(said, labels, strict=True)]
    assert np.mean(right) > 0.45
