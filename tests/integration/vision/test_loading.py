"""The loaders, on checkpoints that these tests write with the same libraries."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from linewatch.errors import WeightsError
from linewatch.settings import Settings
from tests.integration.vision.conftest import AnotherProcess
from tests.support.pictures import texture
from vision.extractor import FeatureExtractor
from vision.loading import load_clip, load_dino
from vision.preprocess import preprocess
from vision.weights import describe, find_weights

CLIP: dict[str, Any] = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 224, "layers": 2, "width": 32, "head_width": 16, "patch_size": 32},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}
# Like the real one, it was trained at 518 pixels: its position embeddings are interpolated.
DINO = {
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "patch_size": 14,
    "image_size": 518,
}


@pytest.fixture
def full(tmp_path: Path) -> Settings:
    """Settings for full encoders whose folders hold small random networks."""
    return networks_in(tmp_path, layers=2)


def networks_in(folder: Path, *, layers: int) -> Settings:
    import open_clip
    from transformers import Dinov2Config, Dinov2Model

    torch.manual_seed(3)
    clip = folder / "full" / "clip"
    clip.mkdir(parents=True)
    config = {**CLIP, "vision_cfg": {**CLIP["vision_cfg"], "layers": layers}}
    save_file(open_clip.CLIP(**config).state_dict(), clip / "open_clip_model.safetensors")
    (clip / "open_clip_config.json").write_text(json.dumps({"model_cfg": config}))
    Dinov2Model(Dinov2Config(**DINO)).save_pretrained(folder / "full" / "dinov2")
    return Settings(weights_dir=folder, encoders="full", device="cpu", recipe="seed")


def test_features_are_those_of_the_libraries(full: Settings) -> None:
    import open_clip
    from transformers import Dinov2Model

    extractor = FeatureExtractor.from_settings(full)
    assert extractor.dim == 16 + 24
    assert extractor.describe() == "CLIP ViT-B-32-quickgelu (openai) + DINOv2 facebook/dinov2-small"
    images = torch.randint(0, 256, (3, 3, 224, 224), dtype=torch.uint8)

    folder = full.local_weights_dir / "full"
    clip = open_clip.create_model(f"local-dir:{folder / 'clip'}", force_quick_gelu=True).eval()
    dino = Dinov2Model.from_pretrained(folder / "dinov2").eval()
    mean, std = (torch.tensor(x)[:, None, None] for x in _CLIP_NORM)
    with torch.inference_mode():
        a = clip.encode_image((images / 255 - mean) / std, normalize=True)
        mean, std = (torch.tensor(x)[:, None, None] for x in _IMAGENET_NORM)
        hidden = dino((images / 255 - mean) / std).last_hidden_state[:, 0]
    b = hidden / hidden.norm(dim=1, keepdim=True)
    expected = torch.cat([a, b], dim=1) / 2**0.5
    torch.testing.assert_close(extractor.features(images), expected, atol=2e-6, rtol=1e-4)


def test_clip_always_has_quickgelu(full: Settings) -> None:
    from open_clip.model import QuickGELU

    loaded = load_clip(find_weights(full))  # whose file does not ask for it
    assert isinstance(loaded.model.visual.transformer.resblocks[0].mlp.gelu, QuickGELU)


def test_the_fingerprint_follows_the_weights(full: Settings) -> None:
    first = FeatureExtractor.from_settings(full).fingerprint
    assert FeatureExtractor.from_settings(full).fingerprint == first
    path = full.local_weights_dir / "full" / "dinov2" / "model.safetensors"
    tensors = load_file(path)
    tensors["layernorm.bias"][0] += 1e-3
    save_file(tensors, path, metadata={"format": "pt"})
    assert FeatureExtractor.from_settings(full).fingerprint != first


def test_about_json_describes_other_weights(full: Settings) -> None:
    about = full.local_weights_dir / "full" / "about.json"
    about.write_text('{"description": "our own"}')
    assert describe(full) == "our own"
    about.write_text("not json")
    assert describe(full).startswith("CLIP")


@pytest.mark.parametrize("name", ["clip/open_clip_model.safetensors", "dinov2/model.safetensors"])
def test_damaged_files_are_refused_by_name(full: Settings, name: str) -> None:
    path = full.local_weights_dir / "full" / name
    whole = path.read_bytes()
    for data in (b"", whole[:-1]):
        path.write_bytes(data)
        with pytest.raises(WeightsError, match=str(path.parent)):
            FeatureExtractor.from_settings(full)
    path.unlink()
    with pytest.raises(WeightsError, match=name):
        FeatureExtractor.from_settings(full)


def test_a_checkpoint_that_lacks_a_part_is_refused(full: Settings) -> None:
    path = full.local_weights_dir / "full" / "dinov2" / "model.safetensors"
    tensors = load_file(path)
    del tensors["layernorm.weight"]
    save_file(tensors, path, metadata={"format": "pt"})
    with pytest.raises(WeightsError, match=r"lacks weights for layernorm\.weight"):
        load_dino(find_weights(full))


def test_a_pickled_checkpoint_is_never_opened(full: Settings) -> None:
    folder = full.local_weights_dir / "full" / "clip"
    shutil.move(folder / "open_clip_model.safetensors", folder / "open_clip_pytorch_model.bin")
    with pytest.raises(WeightsError, match=r"open_clip_model\.safetensors"):
        find_weights(full)


def test_no_weights_and_no_hub_say_what_to_do(another_process: AnotherProcess) -> None:
    (sentence,) = another_process.said
    assert str(another_process.no_weights / "full") in sentence
    assert "set LINEWATCH_ENCODERS=compact" in sentence


_CLIP_NORM = ([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711])
_IMAGENET_NORM = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


def test_transformers_are_optimised_as_networks_of_convolutions_are(tmp_path: Path) -> None:
    """Their tokens lie in memory in another order."""
    pytest.importorskip("openvino", reason="OpenVINO is not installed")
    from vision.optimize import optimize

    settings = networks_in(tmp_path, layers=4)
    pictures = torch.stack([preprocess(texture(300 + i, 260, seed=i)) for i in range(32)])
    optimize(settings, pictures)
    wanted = FeatureExtractor.from_settings(settings.model_copy(update={"backend": "torch"}))
    features, tokens = wanted.backend.with_tokens(pictures[:5])
    for precision in ("float32", "int8"):
        chosen = {"backend": "openvino", "precision": precision}
        backend = FeatureExtractor.from_settings(settings.model_copy(update=chosen)).backend
        found = backend.with_tokens(pictures[:5])
        assert torch.cosine_similarity(found[0], features).min() > 0.99
        assert torch.cosine_similarity(found[1], tokens, dim=-1).min() > 0.99
