"""The networks as an ONNX file for other servers: compared with ours before it is kept."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from linewatch.errors import WeightsError
from vision.openvino_model import quiet
from vision.probe import FLOAT32_TOLERANCE, made_up

OPSET = 17
_LEAST_COSINE = 0.99999


@dataclass(frozen=True, slots=True)
class Exported:
    """How far ONNX Runtime's results are from torch's, over every output."""

    largest_difference: float
    least_cosine: float


def export(
    net: nn.Module,
    path: Path,
    *,
    size: int,
    outputs: tuple[str, ...],
    metadata: Mapping[str, object],
    run: Callable[[Path, np.ndarray], list[np.ndarray]] | None = None,
) -> Exported:
    """Write `net` to `path` if ONNX Runtime computes what torch does.

    Args:
        net: from uint8 [n, 3, size, size] to one tensor [n, …] for each of `outputs`.
        path: the file; it appears whole.
        size: the side of the pictures, in pixels.
        outputs: their names.
        metadata: written into the file as JSON values: fingerprint, classes, input.
        run: computes a file's outputs; ONNX Runtime by default.

    Raises:
        WeightsError: the file cannot be written, or what it computes differs; then nothing is kept.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        _write(net, draft, size, outputs)
        _describe(draft, metadata)
        found = _compare(net, draft, size, run or _onnx_runtime)
        good = found.largest_difference <= FLOAT32_TOLERANCE and found.least_cosine >= _LEAST_COSINE
        if not good:
            raise WeightsError(
                f"{path} is not written: ONNX Runtime's results differ from ours by up to "
                f"{found.largest_difference:.2g} (cosine {found.least_cosine:.6f}); export with "
                "other versions of torch and onnxruntime"
            )
        draft.replace(path)
        return found
    except OSError as error:
        raise WeightsError(f"{path} cannot be written: {error.strerror}") from None
    finally:
        draft.unlink(missing_ok=True)


def _write(net: nn.Module, path: Path, size: int, outputs: tuple[str, ...]) -> None:
    path.touch()  # a folder that cannot be written is said before a minute of work
    example = torch.zeros((2, 3, size, size), dtype=torch.uint8)
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # ONNX has no word for the fused operation
    try:
        with quiet(), torch.no_grad():
            torch.onnx.export(
                net,
                (example,),
                str(path),
                input_names=["images"],
                output_names=list(outputs),
                dynamic_axes={name: {0: "n"} for name in ("images", *outputs)},
                opset_version=OPSET,
                dynamo=False,
            )
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


def _describe(path: Path, metadata: Mapping[str, object]) -> None:
    import onnx

    model = onnx.load(str(path))
    onnx.helper.set_model_props(model, {name: json.dumps(v) for name, v in metadata.items()})
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def _compare(
    net: nn.Module,
    path: Path,
    size: int,
    run: Callable[[Path, np.ndarray], list[np.ndarray]],
) -> Exported:
    pictures = torch.cat([made_up(size), made_up(size).flip(3)])[:3]  # not the traced batch size
    with torch.inference_mode():
        wanted = net(pictures)
    tensors = wanted if isinstance(wanted, tuple) else (wanted,)
    differences, cosines = [], []
    for want, got in zip(tensors, run(path, pictures.numpy()), strict=True):
        result = torch.from_numpy(got).float()
        differences.append(float((result - want).abs().max()))
        cosines.append(float(torch.cosine_similarity(result, want.float()).min()))
    return Exported(max(differences), min(cosines))


def _onnx_runtime(path: Path, pictures: np.ndarray) -> list[np.ndarray]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return list(session.run(None, {"images": pictures}))
