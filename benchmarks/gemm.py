"""What this processor multiplies at best: the measure that the encoders' forward is held against.

Square products of matrices that the caches hold, and of larger ones; the fastest counts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from benchmarks.gpu.device import gemm_flops, seconds_each

SIDES = (768, 1024, 2048)  # of the matrices; CLIP's are 768 wide
_CHAIN = 8  # products one after another, so that the first one's input is quantized beside many
_ENOUGH_S = 0.3
_CPU = torch.device("cpu")


def float32_flops() -> float:
    """FLOP/s of torch's float32 product, on as many threads as torch uses here."""
    return max(gemm_flops(_CPU, "float32", side, _ENOUGH_S) for side in SIDES)


def int8_flops() -> float:
    """Operations/s of OpenVINO's int8 product; a multiplication and an addition are two.

    Raises:
        RuntimeError: this OpenVINO multiplies in another precision here.
    """
    return max(_chain_flops(side) for side in SIDES)


def _chain_flops(side: int) -> float:
    import openvino

    compiled = openvino.Core().compile_model(_chain(side), "CPU", {"PERFORMANCE_HINT": "LATENCY"})
    kinds = [operation.get_rt_info() for operation in compiled.get_runtime_model().get_ops()]
    products = [
        kind["runtimePrecision"].astype(str)
        for kind in kinds
        if kind["layerType"].astype(str) in ("FullyConnected", "MatMul")
    ]
    if len(products) != _CHAIN or not set(products) <= {"u8", "i8"}:
        raise RuntimeError(f"the {_CHAIN} int8 products are computed as {products}")
    request = compiled.create_infer_request()
    matrix = np.random.default_rng(0).random((side, side), np.float32)
    each_s = seconds_each(lambda: request.infer([matrix]), _CPU, _ENOUGH_S)
    return 2 * _CHAIN * side**3 / each_s


def _chain(side: int) -> Any:
    """A product after another, each of quantized activations and stored int8 weights."""
    import openvino
    from openvino import opset13 as op

    rng = np.random.default_rng(0)
    start = node = op.parameter([side, side], np.float32)
    for _ in range(_CHAIN):
        low, high = op.constant(np.float32(-1)), op.constant(np.float32(1))
        quantized = op.fake_quantize(node, low, high, low, high, 256)
        weights = op.constant(rng.integers(-127, 128, (side, side), dtype=np.int8))
        scale = op.constant(np.float32(1 / (127 * side**0.5)))
        scaled = op.multiply(op.convert(weights, np.float32), scale)
        node = op.matmul(quantized, scaled, transpose_a=False, transpose_b=True)
    return openvino.Model([node], [start], "gemm")
