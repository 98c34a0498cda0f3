"""OpenVINO's float32, bfloat16 and int8, and the files that `linewatch optimize` writes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("openvino", reason="OpenVINO is not installed")

from safetensors.torch import load_file, save_file

from linewatch.errors import ConfigurationError, WeightsError
from linewatch.settings import Settings
from tests.support.pictures import texture
from vision import optimized
from vision.backends.openvino_cpu import OpenvinoBackend
from vision.extractor import FeatureExtractor
from vision.networks import load_net
from vision.openvino_model import convert
from vision.optimize import optimize
from vision.patch_stages import LOOK
from vision.preprocess import preprocess
from vision.weights import find_weights, sha256_of


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    return torch.stack([preprocess(texture(300 + i, 260, seed=i)) for i in range(32)])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, pictures: torch.Tensor) -> Path:
    """A weights folder whose encoders were optimised."""
    folder = tmp_path_factory.mktemp("site")
    optimize(Settings(weights_dir=folder, device="cpu"), pictures)
    return folder


@pytest.fixture
def copied(site: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(site, tmp_path / "site"))


def extractor_of(folder: Path, **fields: str) -> FeatureExtractor:
    return FeatureExtractor.from_settings(Settings(weights_dir=folder, device="cpu", **fields))


def test_float32_is_torchs_and_has_its_fingerprint(
    extractor: FeatureExtractor, weights_dir: Path, pictures: torch.Tensor
) -> None:
    other = extractor_of(weights_dir, backend="openvino")  # converted at start
    assert other.backend.name == "openvino"
    assert other.fingerprint == extractor.fingerprint
    assert other.describe() == extractor.describe()
    for batch in (pictures[:1], pictures[:7], pictures):
        torch.testing.assert_close(
            other.features(batch), extractor.features(batch), atol=1e-4, rtol=0
        )
    assert other.features(pictures[:0]).shape == (0, extractor.dim)
    expected = extractor.embed_text(["a cable"])
    torch.testing.assert_close(other.embed_text(["a cable"]), expected)


def test_each_precision_has_a_fingerprint_of_its_own(
    extractor: FeatureExtractor, site: Path, pictures: torch.Tensor
) -> None:
    auto = extractor_of(site)
    bfloat16 = extractor_of(site, backend="openvino", precision="bfloat16")
    int8 = extractor_of(site, precision="int8")
    assert (auto.backend.name, auto.backend.precision) == ("openvino", "float32")
    assert auto.fingerprint == extractor.fingerprint
    assert len({auto.fingerprint, bfloat16.fingerprint, int8.fingerprint}) == 3
    assert {bfloat16.reference, int8.reference} == {extractor.fingerprint}
    assert int8.describe() == f"{extractor.describe()}, openvino int8"
    wanted = extractor.features(pictures)
    assert torch.cosine_similarity(bfloat16.features(pictures), wanted).min() > 0.999
    quantised = int8.features(pictures)
    assert torch.cosine_similarity(quantised, wanted).min() >= 0.999
    assert (quantised - wanted).abs().max() > 1e-4  # int8 it is
    torch.testing.assert_close(quantised.norm(dim=1), torch.ones(32))


def test_places_are_torchs(extractor: FeatureExtractor, site: Path, pictures: torch.Tensor) -> None:
    """The compact CLIP is all convolutions, which int8 leaves alone: so its tokens are torch's."""
    batches = [pictures[:1], pictures[:5], pictures]
    wanted = [extractor.backend.with_tokens(batch) for batch in batches]
    for precision, least in (("float32", 0.999999), ("bfloat16", 0.9998), ("int8", 0.9999)):
        backend = extractor_of(site, backend="openvino", precision=precision).backend
        assert backend.gives_tokens
        for batch, (features, tokens) in zip(batches, wanted, strict=True):
            found = backend.with_tokens(batch)
            torch.testing.assert_close(found[0], backend.features(batch))
            assert torch.cosine_similarity(found[0], features).min() > 0.999
            assert found[1].shape == tokens.shape == (len(batch), 196, 448)
            assert torch.cosine_similarity(found[1], tokens, dim=-1).min() > least
            torch.testing.assert_close(found[1].norm(dim=-1), torch.ones(len(batch), 196))


def test_networks_of_an_earlier_version_serve_without_places(
    copied: Path, extractor: FeatureExtractor
) -> None:
    """Int8 keeps its fingerprint; float32 has torch's, and is converted anew."""
    folder = copied / "optimized" / "compact"
    before = extractor_of(copied, precision="int8").fingerprint
    for precision in ("int8", "float32"):
        about = folder / precision / "about.json"
        said = json.loads(about.read_text())
        assert said.pop("look") == LOOK
        about.write_text(json.dumps(said))
    int8 = extractor_of(copied, precision="int8")
    assert int8.fingerprint == before
    assert not int8.gives_tokens
    with pytest.raises(ConfigurationError, match="run `linewatch optimize` again"):
        int8.features_and_tokens_of([torch.zeros(3, 224, 224, dtype=torch.uint8)])
    assert extractor_of(copied).backend.name == "torch"  # auto passes it by
    float32 = extractor_of(copied, backend="openvino")
    assert float32.gives_tokens
    assert float32.fingerprint == extractor.fingerprint


def test_tokens_that_are_not_torchs_end_the_start(copied: Path) -> None:
    folder = copied / "optimized" / "compact" / "float32"
    tensors = load_file(folder / "probe.safetensors")
    tensors["tokens"] = tensors["tokens"].flip(1)
    save_file(tensors, folder / "probe.safetensors")
    about = json.loads((folder / "about.json").read_text())
    about["sha256"]["probe.safetensors"] = sha256_of(folder / "probe.safetensors")
    (folder / "about.json").write_text(json.dumps(about))
    with pytest.raises(ConfigurationError, match="does not compute the encoders' patch tokens"):
        extractor_of(copied)


def test_int8_products_fit_in_sixteen_bits(site: Path) -> None:
    """CPUs without VNNI add two products in 16 bits: with the whole range they overflow."""
    import openvino

    model = openvino.Core().read_model(site / "optimized" / "compact" / "int8" / "model.xml")
    weights = [
        node.get_data()
        for node in model.get_ops()
        if node.get_type_name() == "Constant" and node.get_element_type() == openvino.Type.i8
    ]
    assert sum(each.size for each in weights) > 1_000_000
    largest = max(int(np.abs(each.astype(np.int16)).max()) for each in weights)
    assert 2 * 255 * largest < 2**15


def test_results_stay_when_the_next_batch_comes(site: Path, pictures: torch.Tensor) -> None:
    int8 = extractor_of(site, precision="int8")
    for count in (1, 2, 32):  # by all cores together, and by lanes
        features, tokens = int8.backend.with_tokens(pictures[:count])
        kept = features.clone(), tokens.clone()
        int8.backend.with_tokens(pictures.flip(0)[:count])
        assert torch.equal(features, kept[0])
        assert torch.equal(tokens, kept[1])


def test_about_says_what_was_measured(site: Path, extractor: FeatureExtractor) -> None:
    about = optimized.about_of(site / "optimized" / "compact" / "int8")
    assert about is not None
    assert about.source == extractor.fingerprint
    assert about.pictures == 24
    assert 0.999 <= about.mean_cosine <= 1.00001
    assert about.least_cosine <= about.mean_cosine
    assert about.look == LOOK
    assert about.mean_token_cosine is not None
    assert about.least_token_cosine is not None
    assert 0.999 <= about.least_token_cosine <= about.mean_token_cosine <= 1.00001
    assert set(about.versions) == {"openvino", "nncf", "torch"}


def test_int8_without_optimising_names_the_command(weights_dir: Path) -> None:
    with pytest.raises(WeightsError, match="run `linewatch optimize` first"):
        extractor_of(weights_dir, precision="int8")


@pytest.mark.parametrize("name", ["model.bin", "model.xml", "probe.safetensors"])
def test_a_damaged_file_is_refused(copied: Path, name: str) -> None:
    path = copied / "optimized" / "compact" / "int8" / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(WeightsError, match=rf"damaged \({name}\)"):
        extractor_of(copied, precision="int8")


@pytest.mark.parametrize("text", ["", "[]", '{"source": 1}'])
def test_a_damaged_about_is_refused(copied: Path, text: str) -> None:
    (copied / "optimized" / "compact" / "int8" / "about.json").write_text(text)
    with pytest.raises(WeightsError, match=r"about\.json is damaged"):
        extractor_of(copied, precision="int8")


def test_what_was_optimised_for_other_weights_is_refused(copied: Path) -> None:
    for precision in ("int8", "float32"):
        about = copied / "optimized" / "compact" / precision / "about.json"
        about.write_text(json.dumps({**json.loads(about.read_text()), "source": "f" * 64}))
    with pytest.raises(WeightsError, match="other weights"):
        extractor_of(copied, precision="int8")
    assert extractor_of(copied).backend.name == "torch"  # auto passes it by


def test_too_few_pictures(weights_dir: Path, pictures: torch.Tensor) -> None:
    with pytest.raises(WeightsError, match="16 are needed"):
        optimize(Settings(weights_dir=weights_dir), pictures[:15])


def test_a_network_that_fails_is_not_hidden(weights_dir: Path, pictures: torch.Tensor) -> None:
    net, _ = load_net(find_weights(Settings(weights_dir=weights_dir)))
    with torch.no_grad():
        net.encoders.dino.layernorm.weight[0] = float("nan")
    assert not torch.isfinite(net(pictures[:3])).all(dim=1).any()
    model = convert(net)
    for precision in ("float32", "bfloat16"):
        features = OpenvinoBackend(model, precision=precision, largest=8).features(pictures[:3])
        assert not torch.isfinite(features).all(dim=1).any()


def test_pictures_of_another_size_are_refused(extractor: FeatureExtractor) -> None:
    with pytest.raises(ValueError, match="224"):
        extractor.features(torch.zeros(1, 3, 112, 224, dtype=torch.uint8))
    with pytest.raises(ValueError, match="uint8"):
        extractor.features(torch.zeros(1, 3, 224, 224))
