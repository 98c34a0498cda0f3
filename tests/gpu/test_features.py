"""What the device computes, beside torch in float32 on the processor."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import torch

from linewatch.settings import Settings
from model_store.heads.fit import fit_head
from model_store.heads.head import probabilities
from model_store.manifest import ManifestDraft
from model_store.novelty.novelty import fit_novelty
from model_store.serving.rejudge import distances
from model_store.store import ModelStore
from model_store.verdicts.verdict import Thresholds
from tests.gpu.conftest import Make
from vision.backends.host_copy import HostCopy
from vision.extractor import FeatureExtractor
from workers.serving.resident_model import ResidentModel


def picked(pictures: torch.Tensor, sizes: tuple[int, ...], seed: int) -> list[torch.Tensor]:
    rng = np.random.default_rng(seed)
    return [torch.from_numpy(rng.integers(0, len(pictures), size)) for size in sizes]


def agree(found: np.ndarray, right: np.ndarray, precision: str) -> None:
    assert found.dtype == np.float32
    assert found.shape == right.shape
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-4)
    if precision == "float32":
        np.testing.assert_allclose(found, right, atol=1e-4)
    else:
        assert (found * right).sum(axis=1).min() > 0.99


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_batches_of_changing_size_agree(
    device: torch.device,
    make: Make,
    pictures: torch.Tensor,
    right: torch.Tensor,
    sizes: tuple[int, ...],
    precision: str,
) -> None:
    if precision != "float32" and device.type == "cpu":
        pytest.skip("slow on a processor, where it is not in use either")
    extractor = make(str(device), precision)
    for which in picked(pictures, sizes, seed=0):
        found = extractor.features(pictures[which]).cpu().numpy()
        agree(found, right[which].numpy(), precision)


@pytest.mark.parametrize("ahead", [1, 3])
def test_batches_launched_before_others_are_read_agree(
    device: torch.device,
    make: Make,
    pictures: torch.Tensor,
    right: torch.Tensor,
    sizes: tuple[int, ...],
    ahead: int,
) -> None:
    """Buffers take turns and graphs write over their output: nothing may be read too late."""
    extractor = make(str(device))
    waiting: list[tuple[torch.Tensor, HostCopy]] = []
    times = 5 if device.type == "cuda" else 1
    for which in picked(pictures, sizes * times, seed=ahead):
        waiting.append((which, HostCopy(extractor.features(pictures[which]))))
        if len(waiting) > ahead:
            first, copied = waiting.pop(0)
            agree(copied.numpy(), right[first].numpy(), "float32")
    for which, copied in waiting:
        agree(copied.numpy(), right[which].numpy(), "float32")


def test_the_same_picture_has_the_same_features_in_any_company(
    device: torch.device, make: Make, pictures: torch.Tensor, sizes: tuple[int, ...]
) -> None:
    extractor = make(str(device))
    alone = extractor.features(pictures[:1]).cpu()
    for count in sizes[1:3]:
        company = pictures[torch.arange(count) % len(pictures)]
        found = extractor.features(company).cpu()
        torch.testing.assert_close(found[:1], alone, atol=2e-5, rtol=0)


@pytest.fixture
def draft() -> ManifestDraft:
    return ManifestDraft(
        product="cable",
        number=1,
        good_class="good",
        fingerprint="f" * 64,
        encoders="compact encoders",
        thresholds=Thresholds(novel_above=5.0),
        training_digest="d" * 64,
        image_counts={"good": 4, "bent_wire": 4, "cut": 4},
        metrics=None,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def test_a_whole_model_on_the_device_says_what_numpy_says(
    device: torch.device,
    make: Make,
    pictures: torch.Tensor,
    right: torch.Tensor,
    tmp_path: Path,
    draft: ManifestDraft,
) -> None:
    labels = [("good", "bent_wire", "cut")[i % 3] for i in range(len(pictures))]
    features = right.numpy().astype(np.float64)
    measure, _ = fit_novelty(features, labels)
    store = ModelStore(str(tmp_path))
    head = fit_head(features, labels)
    saved = store.save(head, draft, novelty=measure)
    model = store.load("cable", saved.version)
    resident = ResidentModel.of(model, device)
    there = make(str(device)).features(pictures)
    vectors = HostCopy(there).numpy()
    scores, said = resident.judge(vectors, resident.measure(there))
    np.testing.assert_allclose(scores, probabilities(model.head, vectors), atol=1e-5)
    measured = resident.measure(there).distances
    assert measured is not None
    np.testing.assert_allclose(measured.numpy(), distances(model, vectors).classes, rtol=5e-3)
    assert len(said) == len(pictures)


def test_full_size_networks_agree(
    gpu: torch.device, full_weights: Path, pictures: torch.Tensor, tmp_path: Path
) -> None:
    """`from_settings` compares a probe by itself; these are other pictures, in other batches."""

    def made(device: str, precision: str) -> FeatureExtractor:
        settings = Settings(
            data_dir=tmp_path,
            weights_dir=full_weights,
            encoders="full",
            device=device,
            backend="torch",
            precision=precision,
            max_batch=4,
        )
        return FeatureExtractor.from_settings(settings)

    some = pictures[:6]
    expected = made("cpu", "float32").features(some).numpy()
    for precision in ("float32", "bfloat16"):
        extractor = made(str(gpu), precision)
        for count in (6, 1, 3):
            agree(extractor.features(some[:count]).cpu().numpy(), expected[:count], precision)
