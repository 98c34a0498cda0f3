"""OpenVINO on Intel and AMD CPUs."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from vision.backends.protocol import Precision

_HINTS = {"float32": "f32", "bfloat16": "bf16", "int8": "f32"}  # int8: what is not quantised


class OpenvinoBackend:
    """Runs a converted `FeatureNet`, of any batch size.

    Args:
        model: an `openvino.Model`, see `vision.openvino_model`.
        precision: float32 or bfloat16 of the arithmetic; int8 for a model that was quantised.
        threads: how many compute; 0 leaves it to OpenVINO (one a core).
    """

    name = "openvino"
    device = torch.device("cpu")

    def __init__(self, model: Any, *, precision: Precision, threads: int = 0) -> None:
        import openvino

        self.precision: Precision = precision
        self._size = int(model.input(0).get_partial_shape()[2].get_length())
        config = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": _HINTS[precision]}
        if threads:
            config["INFERENCE_NUM_THREADS"] = str(threads)
        compiled = openvino.Core().compile_model(model, "CPU", config)
        self._request = compiled.create_infer_request()

    def features(self, batch: torch.Tensor) -> torch.Tensor:
        """float32 [n, dim] from uint8 [n, 3, size, size]."""
        images = np.ascontiguousarray(batch.cpu().numpy())
        results = self._request.infer([images], share_inputs=True)
        return torch.from_numpy(results[0].copy())  # the request writes over its own

    def describe(self) -> str:
        """Library, precision and device."""
        return f"openvino {self.precision} on cpu"
