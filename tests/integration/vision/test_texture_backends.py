"""Texture numbers are the same in every backend that traces or exports them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tests.support.pictures import texture as drawn
from vision.preprocess import preprocess
from vision.texture import SIDE, texture


class TextureNet(nn.Module):
    """Nothing but texture, of length 1 as in a recipe."""

    size = SIDE

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return nn.functional.normalize(texture(images), dim=1)


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    flat = torch.full((1, 3, SIDE, SIDE), 77, dtype=torch.uint8)
    noise = torch.from_numpy(np.random.default_rng(1).integers(0, 256, (1, 3, SIDE, SIDE)))
    return torch.cat([preprocess(drawn(300, 260, seed=1))[None], noise.to(torch.uint8), flat])


@pytest.mark.slow
def test_onnx(pictures: torch.Tensor, tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
    from vision.export_onnx import export

    path = tmp_path / "texture.onnx"
    export(TextureNet(), path, size=SIDE, outputs=("features",), metadata={})
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"images": pictures.numpy()})
    np.testing.assert_allclose(found, TextureNet()(pictures).numpy(), atol=1e-4)


@pytest.mark.slow
def test_openvino(pictures: torch.Tensor) -> None:
    openvino = pytest.importorskip("openvino", reason="OpenVINO is not installed")
    from vision.openvino_model import traced

    model = traced(TextureNet(), SIDE, ("features",))
    served = openvino.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    for batch in (pictures[:1], pictures):  # the number of pictures stays free
        found = served(batch.numpy())[0]
        np.testing.assert_allclose(found, TextureNet()(batch).numpy(), atol=1e-4)
