from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from PIL import Image

from linewatch.errors import ConfigurationError
from linewatch.products import ImageSize
from linewatch.settings import Settings
from producer.contract import Reason
from tests.integration.vision.conftest import AnotherProcess
from tests.support.pictures import encoded, texture
from vision.backends.choice import choose_device
from vision.errors import Unjudgeable
from vision.extractor import FeatureExtractor


@pytest.fixture(scope="module")
def files() -> list[bytes]:
    sizes = [(200 + 37 * i, 300) for i in range(9)]
    return [encoded(Image.fromarray(texture(*size, seed=i)), "PNG") for i, size in enumerate(sizes)]


@pytest.fixture(scope="module")
def batch(extractor: FeatureExtractor, files: list[bytes]) -> torch.Tensor:
    return torch.stack([extractor.prepare(data).pixels for data in files])


def test_features(extractor: FeatureExtractor, batch: torch.Tensor) -> None:
    features = extractor.features(batch)
    assert features.shape == (9, extractor.dim)
    assert features.dtype == torch.float32
    assert features.device.type == extractor.device.type
    torch.testing.assert_close(features.norm(dim=1), torch.ones(9))
    assert torch.pdist(features).min() > 1e-3  # different pictures, different features


def test_features_do_not_depend_on_the_batch(
    extractor: FeatureExtractor, batch: torch.Tensor
) -> None:
    whole = extractor.features(batch)
    alone = torch.cat([extractor.features(image[None]) for image in batch])
    turned = extractor.features(batch.flip(0)).flip(0)
    crowd = extractor.features(torch.cat([batch, torch.zeros(24, 3, 224, 224, dtype=torch.uint8)]))
    for other in (alone, turned, crowd[:9]):
        torch.testing.assert_close(other, whole, atol=1e-5, rtol=0)


def test_prepare_from_many_threads(extractor: FeatureExtractor, files: list[bytes]) -> None:
    expected = [extractor.prepare(data).pixels for data in files]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            for got, want in zip(pool.map(extractor.prepare, files), expected, strict=True):
                assert torch.equal(got.pixels, want)


def test_prepare_keeps_the_size_and_refuses_another(
    extractor: FeatureExtractor, files: list[bytes]
) -> None:
    prepared = extractor.prepare(files[0], ImageSize(width=200, height=300))
    assert (prepared.width, prepared.height) == (200, 300)
    with pytest.raises(Unjudgeable) as caught:
        extractor.prepare(files[1], ImageSize(width=200, height=300))
    assert caught.value.reason is Reason.WRONG_SIZE


def test_the_setting_limits_the_pixels(weights_dir: Path, files: list[bytes]) -> None:
    small = FeatureExtractor.from_settings(Settings(weights_dir=weights_dir, max_image_pixels=100))
    with pytest.raises(Unjudgeable) as caught:
        small.prepare(files[0])
    assert caught.value.reason is Reason.TOO_LARGE


def test_text_is_embedded_without_a_network(extractor: FeatureExtractor) -> None:
    embedded = extractor.embed_text(
        ["a cable with a cut", "a flawless cable", "a cable with a cut"]
    )
    assert embedded.shape[0] == 3
    assert torch.equal(embedded[0], embedded[2])
    assert not torch.allclose(embedded[0], embedded[1])


def test_bfloat16_comes_close_and_has_a_fingerprint_of_its_own(
    extractor: FeatureExtractor, weights_dir: Path, batch: torch.Tensor
) -> None:
    settings = Settings(weights_dir=weights_dir, device="cpu", precision="bfloat16")
    half = FeatureExtractor.from_settings(settings)
    features = half.features(batch)
    assert features.dtype == torch.float32
    assert half.reference == extractor.fingerprint == extractor.reference
    assert half.fingerprint != extractor.fingerprint
    assert half.describe() == f"{extractor.describe()}, torch bfloat16"
    assert (features * extractor.features(batch)).sum(dim=1).min() > 0.99
    assert half.embed_text(["a cable"]).dtype == torch.float32


def test_the_fingerprint_is_the_same_in_another_process(
    extractor: FeatureExtractor, another_process: AnotherProcess
) -> None:
    assert another_process.fingerprint == extractor.fingerprint
    assert "it/s" not in another_process.stderr  # no progress bars in a worker's log


def test_devices() -> None:
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    for name in ("cuda:97", "gpu", "mps", "meta", "cuda:-1", ""):
        with pytest.raises(ConfigurationError, match="LINEWATCH_DEVICE"):
            choose_device(name)
