from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")

import onnx
import onnxruntime

from linewatch.errors import WeightsError
from linewatch.settings import Settings
from model_store.heads.head import Head
from model_store.serving.apply import AffineHead
from model_store.serving.judge_net import JudgeNet
from vision.export_onnx import export
from vision.networks import load_net
from vision.weights import find_weights


def test_features_and_probabilities(weights_dir: Path, tmp_path: Path) -> None:
    net, fingerprint = load_net(find_weights(Settings(weights_dir=weights_dir)))
    rng = np.random.default_rng(0)
    d = fingerprint.dim
    coef = rng.normal(size=(3, d))
    head = Head(("a", "b", "c"), np.zeros(d), np.ones(d), coef, np.zeros(3), coef)
    judge = JudgeNet(net, AffineHead(head))
    path = tmp_path / "judge.onnx"
    names = ("features", "probabilities")
    about = {"classes": ["a", "b", "c"], "fingerprint": fingerprint.hex}
    found = export(judge, path, size=224, outputs=names, metadata=about)
    assert found.largest_difference <= 1e-4

    session = onnxruntime.InferenceSession(str(path))
    pictures = torch.randint(0, 256, (5, 3, 224, 224), dtype=torch.uint8)
    features, shares = session.run(list(names), {"images": pictures.numpy()})
    with torch.inference_mode():
        np.testing.assert_allclose(features, net(pictures).numpy(), atol=1e-4)
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
    props = {p.key: json.loads(p.value) for p in onnx.load(str(path)).metadata_props}
    assert props == about
    assert [p.name for p in tmp_path.iterdir()] == ["judge.onnx"]
    assert torch.backends.mha.get_fastpath_enabled()

    before = path.read_bytes()

    def elsewhere(_: Path, images: np.ndarray) -> list[np.ndarray]:  # type: ignore[type-arg]
        good = judge(torch.from_numpy(images))
        return [good[0].detach().numpy() + 0.01, good[1].detach().numpy()]

    with pytest.raises(WeightsError, match="is not written"):
        export(judge, path, size=224, outputs=names, metadata=about, run=elsewhere)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["judge.onnx"]


def test_a_folder_that_is_not_there(weights_dir: Path, tmp_path: Path) -> None:
    net, _ = load_net(find_weights(Settings(weights_dir=weights_dir)))
    with pytest.raises(WeightsError, match="cannot be written"):
        export(net, tmp_path / "no" / "x.onnx", size=224, outputs=("features",), metadata={})
