"""A run's state as one safetensors file: tensors by path, all else as JSON beside them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file


def save(state: dict[str, Any], path: Path) -> None:
    """Write nested dicts and lists of tensors and plain values; it appears whole or not at all."""
    tensors: dict[str, torch.Tensor] = {}
    skeleton = _take_apart(state, "", tensors)
    draft = path.with_suffix(".draft")
    save_file(tensors, draft, metadata={"skeleton": json.dumps(skeleton)})
    draft.replace(path)


def load(path: Path) -> dict[str, Any]:
    """Read what `save` wrote."""
    with safe_open(path, framework="pt") as file:
        skeleton = json.loads(file.metadata()["skeleton"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no mapping
    state: dict[str, Any] = _put_together(skeleton, tensors)
    return state


def _take_apart(value: Any, path: str, tensors: dict[str, torch.Tensor]) -> Any:
    if isinstance(value, torch.Tensor):
        tensors[path] = value.detach().clone().contiguous()  # tied weights share memory
        return {"tensor": path}
    if isinstance(value, dict):  # pairs, because an optimizer's keys are numbers
        return {"dict": [[k, _take_apart(v, f"{path}/{k}", tensors)] for k, v in value.items()]}
    if isinstance(value, list | tuple):
        return {"list": [_take_apart(v, f"{path}/{n}", tensors) for n, v in enumerate(value)]}
    return value


def _put_together(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    if not isinstance(value, dict):
        return value
    if "tensor" in value:
        return tensors[value["tensor"]]
    if "dict" in value:
        return {key: _put_together(inner, tensors) for key, inner in value["dict"]}
    return [_put_together(inner, tensors) for inner in value["list"]]
